// A wall clock that a test sets, for one program: preloaded (LD_PRELOAD), it moves CLOCK_REALTIME by as many nanoseconds as the
// file WALL_CLOCK_FILE holds in eight bytes, while the program runs. All other clocks stay what they are.
#ifndef STRATA_CLOCK_H
#define STRATA_CLOCK_H

#include <stdint.h>

// The nanoseconds that are added now.
int64_t cclock_offset(void);

#endif
