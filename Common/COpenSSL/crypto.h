// What `Crypto` needs of OpenSSL: macros and variadics that Swift cannot import, as functions.
#ifndef STRATA_OPENSSL_CRYPTO_H
#define STRATA_OPENSSL_CRYPTO_H

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/cms.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

// EVP_EC_gen is a macro over a variadic function.
static inline EVP_PKEY *strata_p256_generate(void) {
    return EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
}

// A parameter keeps the addresses of its name and its value: they have to last beyond the call that makes it.
static inline int strata_hmac_sha1_key(EVP_MAC_CTX *context, const unsigned char *key, size_t bytes) {
    char digest[] = "SHA1";
    OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0), OSSL_PARAM_construct_end()};
    return EVP_MAC_init(context, key, bytes, parameters);
}

// BIO_get_mem_data is a macro.
static inline long strata_bio_bytes(BIO *bio, char **bytes) {
    return BIO_get_mem_data(bio, bytes);
}

// X509V3_set_ctx_nodb is a macro; without a database no text of an extension can name a section of one.
static inline void strata_x509v3_context(X509V3_CTX *context, X509 *issuer, X509 *subject) {
    X509V3_set_ctx(context, issuer, subject, NULL, NULL, 0);
    X509V3_set_ctx_nodb(context);
}

// Stacks are macros over type-checking inline functions. What is to be sealed is written later.
static inline CMS_ContentInfo *strata_cms_for(X509 *recipient) {
    STACK_OF(X509) *recipients = sk_X509_new_null();
    CMS_ContentInfo *cms = NULL;
    if (recipients != NULL && sk_X509_push(recipients, recipient) != 0)
        cms = CMS_encrypt(recipients, NULL, EVP_aes_256_gcm(), CMS_BINARY | CMS_STREAM);
    sk_X509_free(recipients);
    return cms;
}

// BIO_flush is a macro. What BIO_new_CMS put before `end` is freed from the front.
static inline int strata_cms_finish(BIO *chain, BIO *end) {
    int flushed = BIO_flush(chain);
    while (chain != end) {
        BIO *next = BIO_pop(chain);
        BIO_free(chain);
        chain = next;
    }
    return flushed;
}

#endif
