// Calls that need _GNU_SOURCE, which must not stand in a module's header (it clashes with Glibc's module), and macros
// or unions that Swift cannot import.
#ifndef STRATA_CPOSIX_H
#define STRATA_CPOSIX_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// accept4 with SOCK_NONBLOCK | SOCK_CLOEXEC and no address. Returns -1 with errno.
int cposix_accept(int listener);

// accept4 as above; the peer's address goes to `address` (at least sizeof(struct sockaddr_storage)). Returns -1 with errno.
int cposix_accept_from(int listener, void *address, uint32_t *length);

// pidfd_open(2). Returns -1 with errno.
int cposix_pidfd_open(pid_t pid);

// pidfd_send_signal(2). Returns -1 with errno.
int cposix_pidfd_signal(int pidfd, int signal);

// waitid(P_PIDFD, WEXITED | WNOHANG). Returns 1 with *status as from WIFEXITED and friends: the exit code, or minus the
// signal, and with the processor time of the process and its own children, nanoseconds; 0 while it still runs; -1 with errno.
int cposix_pidfd_reap(int pidfd, int *status, int64_t *spent_ns);

// One ready descriptor of epoll_wait, with the same layout on every machine.
struct cposix_event {
    uint64_t data;
    uint32_t events;
};

// epoll_create1(EPOLL_CLOEXEC). Returns -1 with errno.
int cposix_epoll_create(void);

// eventfd(2), non-blocking and closed on exec. Returns -1 with errno.
int cposix_eventfd(void);

// Bits of `events` here and in cposix_event: read 1, write 2, hangup 4, error 8.
// epoll_ctl(2): EPOLL_CTL_ADD, _MOD and _DEL. Return -1 with errno.
int cposix_epoll_add(int epoll, int descriptor, uint32_t events, uint64_t data);
int cposix_epoll_change(int epoll, int descriptor, uint32_t events, uint64_t data);
int cposix_epoll_remove(int epoll, int descriptor);

// epoll_wait(2) for at most 256 events. Returns -1 with errno.
int cposix_epoll_wait(int epoll, struct cposix_event *events, int count, int timeout_ms);

// The loop that runs on this thread: a thread-local pointer, NULL on other threads.
void *cposix_current_loop(void);
void cposix_set_current_loop(void *loop);

// pthread_setname_np for the calling thread, cut to 15 bytes.
void cposix_name_thread(const char *name);
// pthread_getname_np of the calling thread; empty where that fails.
void cposix_thread_name(char name[16]);

// mallopt(3), M_ARENA_MAX: all threads that start after it take memory from one arena.
void cposix_one_arena(void);
// mallopt(3), M_MMAP_THRESHOLD: what is that large is mapped by itself, and unmapped when it is freed.
void cposix_map_from(int bytes);
// malloc_trim(3): glibc gives free pages back to the kernel.
void cposix_trim_memory(void);

// A batch of datagrams: `count` buffers of `size` bytes one after the other at `bytes`, `count` addresses of 28 bytes
// (sockaddr_in6) at `addresses` and at `locals`; lengths come back in `lengths`. A local address, without port, is there
// after cposix_want_local_address, else its family is 0. The time of arrival, CLOCK_REALTIME in nanoseconds, is in `stamps`
// after cposix_want_stamps, else 0. recvmmsg with MSG_DONTWAIT. Returns -1 with errno.
int cposix_receive_batch(
    int socket, uint8_t *bytes, size_t size, uint8_t *addresses, uint8_t *locals, int64_t *stamps, uint32_t *lengths, int count);

// SO_TIMESTAMPNS: datagrams come with the time at which the kernel took them. Returns -1 with errno.
int cposix_want_stamps(int socket);

// IP_RECVERR or IPV6_RECVERR: what the path says (ICMP) of datagrams that left comes back to an unconnected socket too. Returns -1 with errno.
int cposix_want_path_errors(int socket, int family);
// Takes all that the path has said so far (MSG_ERRQUEUE). Returns the errno of the last of it, 0 where it has said nothing.
int cposix_take_path_errors(int socket);

// IP_PKTINFO or IPV6_RECVPKTINFO: datagrams come with the address they were sent to. Returns -1 with errno.
int cposix_want_local_address(int socket, int family);

// sendmsg from the local address (a sockaddr_in or sockaddr_in6; its port does not count). Returns -1 with errno.
ssize_t cposix_send_from(
    int socket, const void *bytes, size_t count, const void *peer, uint32_t peer_length, const void *local);

// sendmsg with UDP_SEGMENT (udp(7)): `count` bytes as datagrams of `segment` bytes each, of which the last may be shorter. Returns -1 with
// errno.
ssize_t cposix_send_segments(
    int socket, const void *bytes, size_t count, uint16_t segment, const void *peer, uint32_t peer_length);

// SIOCOUTQ (tcp(7)): bytes that the peer has not acknowledged, sent or not. Returns -1 with errno.
int cposix_unacknowledged(int socket);

// TCP_INFO's tcpi_bytes_acked: bytes that the peer has acknowledged since the connection began. Returns -1 with errno.
int64_t cposix_acknowledged(int socket);

// getrandom(2) without flags. Returns the number of bytes, or -1 with errno.
ssize_t cposix_random(void *bytes, size_t count);

// posix_spawn with: no descriptors but 0, 1, 2 (a negative number means /dev/null), default signals, nothing blocked,
// a session of its own where `session` is not 0. Returns 0 or an error number.
int cposix_spawn(pid_t *pid, const char *path, char *const argv[], char *const envp[], int in, int out, int err, int session,
    const char *directory);

// Opens `name` for reading under `folder`, through no symbolic link and never above it, closed on exec and without waiting for a
// FIFO's other end. Folder by folder, and not by openat2(2): a unit with RestrictSUIDSGID has no such call, because a filter cannot read
// its flags (systemd.exec(5)). Returns -1 with errno: EXDEV for a name that leads out, ELOOP for a link, ENOTDIR for one on the way.
int cposix_open_beneath(int folder, const char *name);

// renameat2(2) with RENAME_EXCHANGE: the two names change places in one atomic step, which takes no room. Returns -1 with errno.
int cposix_exchange(const char *one, const char *other);

// memfd_create(2): a file without a name, closed on exec. Returns -1 with errno.
int cposix_memory_file(const char *name);

// What a process that takes foreign bytes apart may still use.
struct cposix_bounds {
    // RLIMIT_DATA: heap and private mappings.
    uint64_t memory_bytes;
    // RLIMIT_CPU, after which the kernel ends it (SIGXCPU).
    uint64_t processor_seconds;
    // RLIMIT_FSIZE of each file.
    uint64_t file_bytes;
};

// Takes the rest away, for good and from all threads: setrlimit, prctl(PR_SET_NO_NEW_PRIVS, PR_SET_DUMPABLE) and a filter of system
// calls (seccomp(2), mode filter) that lets pass reading, writing and closing what is open, memory that is not executable, and the end;
// all others fail with EPERM: no file, socket, process, thread or signal. Returns -1 with errno, ENOSYS on machines other than x86-64
// and arm64.
int cposix_confine(const struct cposix_bounds *bounds);

#endif
