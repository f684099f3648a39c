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

// SHA-1's own context is deprecated in favour of EVP's, which allocates several times for each code; SRTP makes one for each packet,
// from a state that has the key in it already.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
static inline int strata_sha1_begin(SHA_CTX *state) { return SHA1_Init(state); }
static inline int strata_sha1_add(SHA_CTX *state, const void *bytes, size_t count) { return SHA1_Update(state, bytes, count); }
static inline int strata_sha1_end(SHA_CTX *state, unsigned char *digest) { return SHA1_Final(digest, state); }
#pragma GCC diagnostic pop

// EVP_EC_gen is a macro over a variadic function.
static inline EVP_PKEY *strata_p256_generate(void) {
    return EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
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
