// Calls that need _GNU_SOURCE, which must not stand in a module's header (it clashes with Glibc's module).
#ifndef STRATA_CPOSIX_H
#define STRATA_CPOSIX_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// accept4 with SOCK_NONBLOCK | SOCK_CLOEXEC and no address. Returns -1 with errno.
int cposix_accept(int listener);

// pidfd_open(2). Returns -1 with errno.
int cposix_pidfd_open(pid_t pid);

#endif
