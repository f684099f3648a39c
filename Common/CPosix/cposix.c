#define _GNU_SOURCE
#include "cposix.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/audit.h>
#include <linux/errqueue.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <malloc.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

int cposix_accept(int listener) {
    return accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

int cposix_accept_from(int listener, void *address, uint32_t *length) {
    return accept4(listener, address, length, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

int cposix_pidfd_open(pid_t pid) {
    return (int)syscall(SYS_pidfd_open, pid, 0);
}

int cposix_pidfd_signal(int pidfd, int signal) {
    return (int)syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0);
}

static int64_t spent(const struct rusage *used) {
    return ((int64_t)used->ru_utime.tv_sec + used->ru_stime.tv_sec) * 1000000000
        + ((int64_t)used->ru_utime.tv_usec + used->ru_stime.tv_usec) * 1000;
}

int cposix_pidfd_reap(int pidfd, int *status, int64_t *spent_ns) {
    siginfo_t info;
    struct rusage used;
    memset(&info, 0, sizeof info);
    memset(&used, 0, sizeof used);
    // Not by glibc, whose waitid has no place for what was used.
    if (syscall(SYS_waitid, P_PIDFD, pidfd, &info, WEXITED | WNOHANG, &used) < 0) return -1;
    if (info.si_pid == 0) return 0;
    *spent_ns = spent(&used);
    *status = info.si_code == CLD_EXITED ? info.si_status : -info.si_status;
    return 1;
}

int cposix_epoll_create(void) {
    return epoll_create1(EPOLL_CLOEXEC);
}

int cposix_eventfd(void) {
    return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

static int control(int epoll, int operation, int descriptor, uint32_t events, uint64_t data) {
    struct epoll_event event;
    memset(&event, 0, sizeof event);
    event.events = ((events & 1) ? EPOLLIN : 0) | ((events & 2) ? EPOLLOUT : 0);
    event.data.u64 = data;
    return epoll_ctl(epoll, operation, descriptor, &event);
}

int cposix_epoll_add(int epoll, int descriptor, uint32_t events, uint64_t data) {
    return control(epoll, EPOLL_CTL_ADD, descriptor, events, data);
}

int cposix_epoll_change(int epoll, int descriptor, uint32_t events, uint64_t data) {
    return control(epoll, EPOLL_CTL_MOD, descriptor, events, data);
}

int cposix_epoll_remove(int epoll, int descriptor) {
    return control(epoll, EPOLL_CTL_DEL, descriptor, 0, 0);
}

int cposix_epoll_wait(int epoll, struct cposix_event *events, int count, int timeout_ms) {
    struct epoll_event ready[256];
    if (count > 256) count = 256;
    int found = epoll_wait(epoll, ready, count, timeout_ms);
    for (int i = 0; i < found; i++) {
        events[i].data = ready[i].data.u64;
        uint32_t is = ready[i].events;
        events[i].events =
            ((is & EPOLLIN) ? 1u : 0) | ((is & EPOLLOUT) ? 2u : 0) | ((is & EPOLLHUP) ? 4u : 0) | ((is & EPOLLERR) ? 8u : 0);
    }
    return found;
}

// The model of a program that is never loaded by dlopen: no call for each access.
static _Thread_local void *current_loop __attribute__((tls_model("initial-exec")));

void *cposix_current_loop(void) {
    return current_loop;
}

void cposix_set_current_loop(void *loop) {
    current_loop = loop;
}

void cposix_name_thread(const char *name) {
    char cut[16];
    strncpy(cut, name, 15);
    cut[15] = 0;
    pthread_setname_np(pthread_self(), cut);
}

void cposix_thread_name(char name[16]) {
    if (pthread_getname_np(pthread_self(), name, 16) != 0) name[0] = 0;
}

void cposix_one_arena(void) {
    mallopt(M_ARENA_MAX, 1);
}

void cposix_map_from(int bytes) {
    mallopt(M_MMAP_THRESHOLD, bytes);
}

void cposix_trim_memory(void) {
    malloc_trim(0);
}

// Room for one in_pktinfo or in6_pktinfo, and for a time of arrival.
union packet_info {
    char bytes[CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(struct timespec))];
    struct cmsghdr align;
};

static void read_local(struct msghdr *message, struct sockaddr_in6 *local) {
    memset(local, 0, sizeof *local);
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
        if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
            struct sockaddr_in *v4 = (struct sockaddr_in *)local;
            struct in_pktinfo info;
            memcpy(&info, CMSG_DATA(c), sizeof info);
            v4->sin_family = AF_INET;
            v4->sin_addr = info.ipi_addr;
        } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
            struct in6_pktinfo info;
            memcpy(&info, CMSG_DATA(c), sizeof info);
            local->sin6_family = AF_INET6;
            local->sin6_addr = info.ipi6_addr;
        }
    }
}

static int64_t read_stamp(struct msghdr *message) {
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPNS) continue;
        struct timespec time;
        memcpy(&time, CMSG_DATA(c), sizeof time);
        return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
    }
    return 0;
}

int cposix_want_stamps(int socket) {
    int yes = 1;
    return setsockopt(socket, SOL_SOCKET, SO_TIMESTAMPNS, &yes, sizeof yes);
}

int cposix_receive_batch(
    int socket, uint8_t *bytes, size_t size, uint8_t *addresses, uint8_t *locals, int64_t *stamps, uint32_t *lengths, int count) {
    struct mmsghdr messages[64];
    struct iovec parts[64];
    union packet_info infos[64];
    if (count > 64) count = 64;
    memset(messages, 0, sizeof messages[0] * (size_t)count);
    for (int i = 0; i < count; i++) {
        parts[i].iov_base = bytes + (size_t)i * size;
        parts[i].iov_len = size;
        messages[i].msg_hdr.msg_iov = &parts[i];
        messages[i].msg_hdr.msg_iovlen = 1;
        messages[i].msg_hdr.msg_name = addresses + (size_t)i * sizeof(struct sockaddr_in6);
        messages[i].msg_hdr.msg_namelen = sizeof(struct sockaddr_in6);
        messages[i].msg_hdr.msg_control = &infos[i];
        messages[i].msg_hdr.msg_controllen = sizeof infos[i];
    }
    int found = recvmmsg(socket, messages, (unsigned)count, MSG_DONTWAIT, NULL);
    for (int i = 0; i < found; i++) {
        lengths[i] = messages[i].msg_len;
        read_local(&messages[i].msg_hdr, (struct sockaddr_in6 *)(locals + (size_t)i * sizeof(struct sockaddr_in6)));
        stamps[i] = read_stamp(&messages[i].msg_hdr);
    }
    return found;
}

int cposix_want_path_errors(int socket, int family) {
    int yes = 1;
    if (family == AF_INET6) return setsockopt(socket, IPPROTO_IPV6, IPV6_RECVERR, &yes, sizeof yes);
    return setsockopt(socket, IPPROTO_IP, IP_RECVERR, &yes, sizeof yes);
}

int cposix_take_path_errors(int socket) {
    int last = 0;
    // Of each: the error, and the address of whoever said it.
    union {
        uint8_t bytes[CMSG_SPACE(sizeof(struct sock_extended_err) + sizeof(struct sockaddr_in6))];
        struct cmsghdr aligned;
    } said;
    for (;;) {
        struct msghdr message = {.msg_control = &said, .msg_controllen = sizeof said};
        if (recvmsg(socket, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) return last;
        for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
            int ours = (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR)
                || (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR);
            if (!ours) continue;
            struct sock_extended_err error;
            memcpy(&error, CMSG_DATA(c), sizeof error);
            if (error.ee_origin == SO_EE_ORIGIN_ICMP || error.ee_origin == SO_EE_ORIGIN_ICMP6) last = (int)error.ee_errno;
        }
    }
}

int cposix_want_local_address(int socket, int family) {
    int yes = 1;
    if (family == AF_INET6) return setsockopt(socket, IPPROTO_IPV6, IPV6_RECVPKTINFO, &yes, sizeof yes);
    return setsockopt(socket, IPPROTO_IP, IP_PKTINFO, &yes, sizeof yes);
}

ssize_t cposix_send_from(
    int socket, const void *bytes, size_t count, const void *peer, uint32_t peer_length, const void *local) {
    struct iovec part = {.iov_base = (void *)bytes, .iov_len = count};
    union packet_info info;
    struct msghdr message = {
        .msg_name = (void *)peer, .msg_namelen = peer_length, .msg_iov = &part, .msg_iovlen = 1, .msg_control = &info};
    memset(&info, 0, sizeof info);
    message.msg_controllen = sizeof info;
    struct cmsghdr *c = CMSG_FIRSTHDR(&message);
    if (((const struct sockaddr *)local)->sa_family == AF_INET6) {
        struct in6_pktinfo source = {.ipi6_addr = ((const struct sockaddr_in6 *)local)->sin6_addr};
        c->cmsg_level = IPPROTO_IPV6;
        c->cmsg_type = IPV6_PKTINFO;
        c->cmsg_len = CMSG_LEN(sizeof source);
        memcpy(CMSG_DATA(c), &source, sizeof source);
        message.msg_controllen = CMSG_SPACE(sizeof source);
    } else {
        struct in_pktinfo source = {.ipi_spec_dst = ((const struct sockaddr_in *)local)->sin_addr};
        c->cmsg_level = IPPROTO_IP;
        c->cmsg_type = IP_PKTINFO;
        c->cmsg_len = CMSG_LEN(sizeof source);
        memcpy(CMSG_DATA(c), &source, sizeof source);
        message.msg_controllen = CMSG_SPACE(sizeof source);
    }
    return sendmsg(socket, &message, MSG_DONTWAIT);
}

ssize_t cposix_send_segments(
    int socket, const void *bytes, size_t count, uint16_t segment, const void *peer, uint32_t peer_length) {
    struct iovec part = {.iov_base = (void *)bytes, .iov_len = count};
    union {
        char bytes[CMSG_SPACE(sizeof(uint16_t))];
        struct cmsghdr align;
    } option;
    memset(&option, 0, sizeof option);
    struct msghdr message = {
        .msg_name = (void *)peer, .msg_namelen = peer_length, .msg_iov = &part, .msg_iovlen = 1, .msg_control = &option,
        .msg_controllen = sizeof option};
    struct cmsghdr *c = CMSG_FIRSTHDR(&message);
    c->cmsg_level = SOL_UDP;
    c->cmsg_type = UDP_SEGMENT;
    c->cmsg_len = CMSG_LEN(sizeof segment);
    memcpy(CMSG_DATA(c), &segment, sizeof segment);
    return sendmsg(socket, &message, MSG_DONTWAIT);
}

ssize_t cposix_random(void *bytes, size_t count) {
    return getrandom(bytes, count, 0);
}

// A descriptor for the child's `target`. Where it has the number already, dup2 would leave it close-on-exec: glibc's
// adddup2 clears the flag in that case (2.29 and later).
static int place(posix_spawn_file_actions_t *actions, int descriptor, int target) {
    if (descriptor < 0) return posix_spawn_file_actions_addopen(actions, target, "/dev/null", O_RDWR, 0);
    return posix_spawn_file_actions_adddup2(actions, descriptor, target);
}

int cposix_spawn(pid_t *pid, const char *path, char *const argv[], char *const envp[], int in, int out, int err, int session,
    const char *directory) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t all, none;
    int code = posix_spawn_file_actions_init(&actions);
    if (code != 0) return code;
    code = posix_spawnattr_init(&attributes);
    if (code != 0) {
        posix_spawn_file_actions_destroy(&actions);
        return code;
    }
    sigfillset(&all);
    sigemptyset(&none);
    short flags = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK;
    if (session) flags |= POSIX_SPAWN_SETSID;
    if (code == 0) code = posix_spawnattr_setsigdefault(&attributes, &all);
    if (code == 0) code = posix_spawnattr_setsigmask(&attributes, &none);
    if (code == 0) code = posix_spawnattr_setflags(&attributes, flags);
    if (code == 0) code = place(&actions, in, 0);
    if (code == 0) code = place(&actions, out, 1);
    if (code == 0) code = place(&actions, err, 2);
    if (code == 0) code = posix_spawn_file_actions_addclosefrom_np(&actions, 3);
    if (code == 0 && directory != NULL) code = posix_spawn_file_actions_addchdir_np(&actions, directory);
    if (code == 0) code = posix_spawn(pid, path, &actions, &attributes, argv, envp);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return code;
}

int cposix_open_beneath(int folder, const char *name) {
    int at = folder;
    for (;;) {
        char part[NAME_MAX + 1];
        size_t length = strcspn(name, "/");
        int is_last = name[length] == '\0';
        int next = -1;
        if (length > NAME_MAX) {
            errno = ENAMETOOLONG;
        } else {
            memcpy(part, name, length);
            part[length] = '\0';
            // A name that begins at the root has nothing before its first stroke.
            if (strcmp(part, "..") == 0 || (length == 0 && at == folder && !is_last)) {
                errno = EXDEV;
            } else {
                next = openat(at, part, O_CLOEXEC | O_NOFOLLOW | (is_last ? O_RDONLY | O_NONBLOCK | O_NOCTTY : O_PATH | O_DIRECTORY));
            }
        }
        int reason = errno;
        if (at != folder) close(at);
        errno = reason;
        if (next < 0 || is_last) return next;
        at = next;
        name += length + 1;
    }
}

int cposix_exchange(const char *one, const char *other) {
    return renameat2(AT_FDCWD, one, AT_FDCWD, other, RENAME_EXCHANGE);
}

int cposix_unacknowledged(int socket) {
    int bytes = 0;
    return ioctl(socket, SIOCOUTQ, &bytes) < 0 ? -1 : bytes;
}

int64_t cposix_acknowledged(int socket) {
    struct tcp_info info = {0};
    socklen_t size = sizeof info;
    return getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size) < 0 ? -1 : (int64_t)info.tcpi_bytes_acked;
}

int cposix_memory_file(const char *name) {
    return memfd_create(name, MFD_CLOEXEC);
}

#if defined(__x86_64__)
#define OWN_MACHINE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define OWN_MACHINE AUDIT_ARCH_AARCH64
#endif

#ifdef OWN_MACHINE
static const int passing[] = {
    SYS_read, SYS_write, SYS_close, SYS_fstat, SYS_lseek, SYS_munmap, SYS_mremap, SYS_brk, SYS_madvise, SYS_futex, SYS_getrandom,
    SYS_clock_gettime, SYS_sched_yield, SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_exit, SYS_exit_group,
};
#define PASSING (sizeof passing / sizeof passing[0])

// Its entries are the threads, `.` and `..`. False where it cannot be read.
static int has_one_thread(void) {
    struct stat status;
    return stat("/proc/self/task", &status) == 0 && status.st_nlink == 3;
}

// seccomp(2). The order: another machine's calls end the process; mmap and mprotect pass without PROT_EXEC; then the table.
static int filter_calls(void) {
    struct sock_filter program[PASSING + 12];
    const size_t refuse = 6 + PASSING, check = refuse + 1, pass = refuse + 3;
    size_t at = 0;
    program[at++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
    program[at++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, OWN_MACHINE, 1, 0);
    program[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
    program[at++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    program[at] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mmap, (uint8_t)(check - at - 1), 0);
    at++;
    program[at] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mprotect, (uint8_t)(check - at - 1), 0);
    at++;
    for (size_t i = 0; i < PASSING; i++, at++)
        program[at] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)passing[i], (uint8_t)(pass - at - 1), 0);
    program[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
    program[at++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2]));
    program[at++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 1, 0);
    program[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    program[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
    struct sock_fprog whole = {.len = (unsigned short)at, .filter = program};
    // Where a thread cannot have it, its number is returned and none has it.
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &whole) == 0) return 0;
    // Surroundings of before an upgrade forbid that call. The older one is for the calling thread, and so as good for one.
    if (errno != EPERM || !has_one_thread()) return -1;
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &whole, 0, 0);
}
#else
static int filter_calls(void) {
    errno = ENOSYS;
    return -1;
}
#endif

static int bound(int resource, uint64_t most) {
    struct rlimit limit = {.rlim_cur = most, .rlim_max = most};
    return setrlimit((__rlimit_resource_t)resource, &limit);
}

int cposix_confine(const struct cposix_bounds *bounds) {
    if (bound(RLIMIT_DATA, bounds->memory_bytes) < 0 || bound(RLIMIT_CPU, bounds->processor_seconds) < 0) return -1;
    if (bound(RLIMIT_FSIZE, bounds->file_bytes) < 0 || bound(RLIMIT_CORE, 0) < 0) return -1;
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) return -1;
    return filter_calls();
}
