// WebSocket framing (RFC 6455 section 5) by libwslay.
#ifndef STRATA_WSLAY_SHIM_H
#define STRATA_WSLAY_SHIM_H

#include <wslay/wslay.h>

#endif
