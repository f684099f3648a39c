// The door to libcurl (7.88 of Debian 12 to 8.14 of 13), for SMTP.
#ifndef STRATA_CURL_SHIM_H
#define STRATA_CURL_SHIM_H

// The macros that check an option's type know constants only, and the wrappers below take it as an argument.
#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>

// curl_easy_setopt and curl_easy_getinfo are variadic: one wrapper for each type of value.
static inline CURLcode strata_curl_set_text(CURL *handle, CURLoption option, const char *value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode strata_curl_set_number(CURL *handle, CURLoption option, long value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode strata_curl_set_list(CURL *handle, CURLoption option, struct curl_slist *value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode strata_curl_set_buffer(CURL *handle, CURLoption option, char *value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode strata_curl_set_reader(CURL *handle, curl_read_callback read, void *context) {
    CURLcode code = curl_easy_setopt(handle, CURLOPT_READFUNCTION, read);
    return code == CURLE_OK ? curl_easy_setopt(handle, CURLOPT_READDATA, context) : code;
}

static inline long strata_curl_reply(CURL *handle) {
    long code = 0;
    return curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &code) == CURLE_OK ? code : 0;
}

// CURL_GLOBAL_DEFAULT is an expression of macros.
static inline CURLcode strata_curl_begin(void) { return curl_global_init(CURL_GLOBAL_DEFAULT); }

#endif
