// Names become addresses by asking name servers of our choice, without blocking, by c-ares (1.18 of Debian 12 to 1.34 of 13).
// Status codes are macros in the first and an enum in the other: the Swift side compares with 0.
#ifndef STRATA_ARES_SHIM_H
#define STRATA_ARES_SHIM_H

// Debian 13's 1.34 calls what Debian 12's 1.18 has alone deprecated.
#define CARES_NO_DEPRECATED
#include <ares.h>

#endif
