#define _GNU_SOURCE
#include "cposix.h"

#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

int cposix_accept(int listener) {
    return accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

int cposix_pidfd_open(pid_t pid) {
    return (int)syscall(SYS_pidfd_open, pid, 0);
}
