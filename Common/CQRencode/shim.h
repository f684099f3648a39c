// The door to libqrencode (4.1.1 of Debian 12 and 13).
#ifndef STRATA_CQRENCODE_SHIM_H
#define STRATA_CQRENCODE_SHIM_H

#include <qrencode.h>

#endif
