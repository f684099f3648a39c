#define _GNU_SOURCE
#include "cclock.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define SECOND 1000000000LL
// A wait for a moment of the wall clock looks this often whether that was set.
#define SLICE 10000000LL

static const volatile int64_t *shared;
static int (*next_clock_gettime)(clockid_t, struct timespec *);

__attribute__((constructor)) static void start(void) {
    const char *path = getenv("WALL_CLOCK_FILE");
    int descriptor = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor >= 0) {
        void *bytes = mmap(NULL, sizeof(int64_t), PROT_READ, MAP_SHARED, descriptor, 0);
        if (bytes != MAP_FAILED) shared = bytes;
        close(descriptor);
    }
    next_clock_gettime = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
}

int64_t cclock_offset(void) { return shared == NULL ? 0 : *shared; }

static int real(clockid_t clock, struct timespec *moment) {
    // Others' constructors may run before ours.
    return next_clock_gettime == NULL ? (int)syscall(SYS_clock_gettime, clock, moment) : next_clock_gettime(clock, moment);
}

static int64_t nanoseconds(const struct timespec *moment) { return moment->tv_sec * SECOND + moment->tv_nsec; }

static struct timespec moment(int64_t nanoseconds) {
    return (struct timespec){.tv_sec = nanoseconds / SECOND, .tv_nsec = nanoseconds % SECOND};
}

static int64_t wall(void) {
    struct timespec now;
    real(CLOCK_REALTIME, &now);
    return nanoseconds(&now) + cclock_offset();
}

int clock_gettime(clockid_t clock, struct timespec *result) {
    int code = real(clock, result);
    if (code == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) *result = moment(nanoseconds(result) + cclock_offset());
    return code;
}

int gettimeofday(struct timeval *restrict result, void *restrict zone) {
    (void)zone;
    int64_t now = wall();
    result->tv_sec = now / SECOND;
    result->tv_usec = now % SECOND / 1000;
    return 0;
}

time_t time(time_t *result) {
    time_t now = wall() / SECOND;
    if (result != NULL) *result = now;
    return now;
}

// As the kernel does it (futex(2), FUTEX_CLOCK_REALTIME): a wait for a moment of the wall clock ends when that clock shows it,
// so one that is set back makes it longer. What turns the moment into a duration at the call, as other such libraries do, hides that.
// Source for the bit of the condition's clock: glibc, nptl/pthread_cond_init.c, __PTHREAD_COND_CLOCK_MONOTONIC_MASK.
int pthread_cond_timedwait(pthread_cond_t *restrict condition, pthread_mutex_t *restrict mutex, const struct timespec *restrict until) {
    if (condition->__data.__wrefs & 2) return pthread_cond_clockwait(condition, mutex, CLOCK_MONOTONIC, until);
    if (until->tv_nsec < 0 || until->tv_nsec >= SECOND) return EINVAL;
    while (1) {
        int64_t left = nanoseconds(until) - wall();
        struct timespec now;
        real(CLOCK_MONOTONIC, &now);
        struct timespec slice = moment(nanoseconds(&now) + (left < 0 ? 0 : left < SLICE ? left : SLICE));
        int code = pthread_cond_clockwait(condition, mutex, CLOCK_MONOTONIC, &slice);
        if (code != ETIMEDOUT || left <= SLICE) return code;
    }
}
