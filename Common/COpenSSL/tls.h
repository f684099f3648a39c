// What `TLS` needs of OpenSSL: macros that Swift cannot import, as functions.
#ifndef STRATA_OPENSSL_TLS_H
#define STRATA_OPENSSL_TLS_H

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#endif
