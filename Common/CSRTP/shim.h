// libsrtp2, the oracle that our own SRTP is held against: tests import it, no program does.
#ifndef STRATA_SRTP_H
#define STRATA_SRTP_H

#include <srtp2/srtp.h>

#endif
