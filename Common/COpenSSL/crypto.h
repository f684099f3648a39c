// What `Crypto` needs of OpenSSL: macros that Swift cannot import, as functions.
#ifndef STRATA_OPENSSL_CRYPTO_H
#define STRATA_OPENSSL_CRYPTO_H

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#endif
