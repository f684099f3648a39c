// What `TLS` needs of OpenSSL: macros that Swift cannot import, as functions.
#ifndef STRATA_OPENSSL_TLS_H
#define STRATA_OPENSSL_TLS_H

#include <arpa/inet.h>
#include <string.h>
#include <sys/time.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/srtp.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

// Macros over SSL_CTX_ctrl and SSL_ctrl.
static inline long strata_tls_min_version(SSL_CTX *context, int version) { return SSL_CTX_set_min_proto_version(context, version); }
static inline long strata_tls_set_mode(SSL_CTX *context, long mode) { return SSL_CTX_set_mode(context, mode); }
static inline long strata_tls_cache_off(SSL_CTX *context) { return SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF); }
static inline long strata_tls_read_ahead(SSL_CTX *context) { return SSL_CTX_set_read_ahead(context, 1); }
static inline long strata_tls_server_name(SSL *session, const char *name) { return SSL_set_tlsext_host_name(session, name); }
static inline long strata_tls_has_extended_master_secret(SSL *session) { return SSL_get_extms_support(session); }

static inline long strata_tls_add_to_chain(SSL_CTX *context, X509 *next) { return SSL_CTX_add0_chain_cert(context, next); }

// Macros over the parts of an error's code.
static inline int strata_tls_is_end_of_pem(unsigned long code) {
    return ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE;
}

// Constants that are defined by casts or shifts.
static inline uint64_t strata_tls_options(void) {
    return SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET | SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA;
}
static inline long strata_tls_mode(void) {
    return SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER;
}

static inline long strata_tls_chain_limit(SSL_CTX *context, long bytes) { return SSL_CTX_set_max_cert_list(context, bytes); }

// Of DTLS: macros over SSL_CTX_ctrl, SSL_ctrl and BIO_ctrl, and constants that are shifts.
static inline int strata_dtls_only_1_2(SSL_CTX *context) {
    return SSL_CTX_set_min_proto_version(context, DTLS1_2_VERSION) == 1 && SSL_CTX_set_max_proto_version(context, DTLS1_2_VERSION) == 1;
}
static inline uint64_t strata_dtls_options(void) {
    return SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET | SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_NO_QUERY_MTU;
}
static inline long strata_dtls_mtu(SSL *session, long bytes) { return SSL_set_mtu(session, bytes); }
static inline long strata_dtls_timeout(SSL *session, struct timeval *left) { return DTLSv1_get_timeout(session, left); }
static inline long strata_dtls_handle_timeout(SSL *session) { return DTLSv1_handle_timeout(session); }
// A memory BIO without bytes says "later" in place of "the end".
static inline long strata_bio_never_ends(BIO *bio) { return BIO_set_mem_eof_return(bio, -1); }

// Stacks are macros over type-checking inline functions.
static inline STACK_OF(X509) *strata_x509_stack(X509 *only) {
    STACK_OF(X509) *stack = sk_X509_new_null();
    if (stack != NULL && sk_X509_push(stack, only) == 0) {
        sk_X509_free(stack);
        return NULL;
    }
    return stack;
}
static inline int strata_x509_count(const STACK_OF(X509) *stack) { return stack == NULL ? 0 : sk_X509_num(stack); }
static inline X509 *strata_x509_at(const STACK_OF(X509) *stack, int index) { return sk_X509_value(stack, index); }
// Frees the stack, not its certificates.
static inline void strata_x509_stack_free(STACK_OF(X509) *stack) { sk_X509_free(stack); }
// What a server sends: the leaf and its chain, borrowed from the context. SSL_CTX_get0_chain_certs is a macro.
static inline STACK_OF(X509) *strata_tls_presented(SSL_CTX *context, X509 *leaf) {
    STACK_OF(X509) *chain = NULL;
    SSL_CTX_get0_chain_certs(context, &chain);
    STACK_OF(X509) *stack = chain == NULL ? sk_X509_new_null() : sk_X509_dup(chain);
    if (stack != NULL && sk_X509_unshift(stack, leaf) == 0) {
        sk_X509_free(stack);
        return NULL;
    }
    return stack;
}
// The alternative name at an index, as text: 1; 0 where it is neither a DNS name nor an address or does not fit, -1 after the last.
static inline int strata_x509_name(const X509 *certificate, int index, char *text, int size) {
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    if (names == NULL || index >= sk_GENERAL_NAME_num(names)) {
        GENERAL_NAMES_free(names);
        return -1;
    }
    const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, index);
    int found = 0;
    if (name->type == GEN_DNS || name->type == GEN_IPADD) {
        const ASN1_STRING *string = name->type == GEN_DNS ? name->d.dNSName : name->d.iPAddress;
        const unsigned char *bytes = ASN1_STRING_get0_data(string);
        int count = ASN1_STRING_length(string);
        if (name->type == GEN_DNS && count > 0 && count < size && memchr(bytes, 0, (size_t)count) == NULL) {
            memcpy(text, bytes, (size_t)count);
            text[count] = 0;
            found = 1;
        } else if (name->type == GEN_IPADD && (count == 4 || count == 16)) {
            found = inet_ntop(count == 4 ? AF_INET : AF_INET6, bytes, text, (socklen_t)size) != NULL;
        }
    }
    GENERAL_NAMES_free(names);
    return found;
}

#endif
