// The door to libargon2.
#ifndef STRATA_CARGON2_SHIM_H
#define STRATA_CARGON2_SHIM_H

#include <argon2.h>

#endif
