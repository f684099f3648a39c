#include "ctimeofday.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/time.h>
#include <time.h>

static _Thread_local bool is_set;
static _Thread_local int64_t now;

void ctimeofday_set(int64_t microseconds) {
    now = microseconds;
    is_set = true;
}

void ctimeofday_clear(void) { is_set = false; }

int gettimeofday(struct timeval *restrict result, void *restrict zone) {
    (void)zone;
    if (is_set) {
        *result = (struct timeval){.tv_sec = now / 1000000, .tv_usec = now % 1000000};
        return 0;
    }
    struct timespec moment;
    int code = clock_gettime(CLOCK_REALTIME, &moment);
    *result = (struct timeval){.tv_sec = moment.tv_sec, .tv_usec = moment.tv_nsec / 1000};
    return code;
}
