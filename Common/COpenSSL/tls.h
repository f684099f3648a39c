// What `TLS` needs of OpenSSL: macros that Swift cannot import, as functions.
#ifndef STRATA_OPENSSL_TLS_H
#define STRATA_OPENSSL_TLS_H

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

// Macros over SSL_CTX_ctrl and SSL_ctrl.
static inline long strata_tls_min_version(SSL_CTX *context, int version) { return SSL_CTX_set_min_proto_version(context, version); }
static inline long strata_tls_set_mode(SSL_CTX *context, long mode) { return SSL_CTX_set_mode(context, mode); }
static inline long strata_tls_cache_off(SSL_CTX *context) { return SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF); }
static inline long strata_tls_read_ahead(SSL_CTX *context) { return SSL_CTX_set_read_ahead(context, 1); }
static inline long strata_tls_server_name(SSL *session, const char *name) { return SSL_set_tlsext_host_name(session, name); }
static inline long strata_tls_has_extended_master_secret(SSL *session) { return SSL_get_extms_support(session); }

// Constants that are defined by casts or shifts.
static inline uint64_t strata_tls_options(void) {
    return SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET | SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA;
}
static inline long strata_tls_mode(void) {
    return SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER;
}

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

#endif
