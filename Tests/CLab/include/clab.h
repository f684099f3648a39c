// Calls of the link emulator that need _GNU_SOURCE, which must not stand in a module's header, and macros or unions that
// Swift cannot import.
#ifndef STRATA_CLAB_H
#define STRATA_CLAB_H

#include <stdint.h>
#include <sys/types.h>

// setns(2) of the calling thread into the network namespace at `path`. Returns -1 with errno.
int clab_enter_namespace(const char *path);

// A raw packet socket on one interface: whole frames of every protocol, not its own ones, non-blocking. Returns -1 with errno.
int clab_packet_socket(const char *interface);

// Turns off what would put frames on the wire larger than its MTU or without their checksum (ETHTOOL_STSO, _SGSO, _STXCSUM,
// _SGRO). Returns -1 with errno.
int clab_offload_off(const char *interface);

struct clab_ready {
    int descriptor;
    int readable;
};

// ppoll(2) for reading, up to `nanoseconds` (negative: without limit). Returns how many are readable, -1 with errno.
int clab_wait(struct clab_ready *descriptors, int count, int64_t nanoseconds);

// The calling thread before all ordinary ones (SCHED_FIFO, 10). Returns -1 with errno where that is not allowed.
int clab_real_time(void);

// Blocks SIGINT, SIGTERM and SIGHUP for this thread and those that it starts. Returns a descriptor that is readable once one
// of them has come, -1 with errno. Source: signalfd(2).
int clab_stop_signals(void);

// posix_spawn with a process group of its own, no descriptors but 0, 1, 2 and those three as given (negative: /dev/null),
// default signals. Returns 0 or an error number.
int clab_spawn(pid_t *pid, const char *path, char *const argv[], char *const envp[], int in, int out, int err, const char *directory);

// fork(2): runs `body` in a child, which then ends with what it returned. Returns that, 256 and a signal that ended it, or -1 with errno.
int clab_in_child(int (*body)(void));

#endif
