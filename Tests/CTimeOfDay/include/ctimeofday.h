// A wall clock that a test sets, for a library that reads it by gettimeofday and takes no other: the program's own definition goes
// before libc's. It is the calling thread's alone; all others see the real one.
#ifndef STRATA_CTIMEOFDAY_H
#define STRATA_CTIMEOFDAY_H

#include <stdint.h>

// Microseconds since 1970.
void ctimeofday_set(int64_t microseconds);
// Back to the real clock.
void ctimeofday_clear(void);

#endif
