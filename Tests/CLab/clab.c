#define _GNU_SOURCE
#include "include/clab.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

int clab_enter_namespace(const char *path) {
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return -1;
    int code = setns(descriptor, CLONE_NEWNET);
    int error = errno;
    close(descriptor);
    errno = error;
    return code;
}

static int fill(struct ifreq *request, const char *interface) {
    memset(request, 0, sizeof *request);
    if (strlen(interface) >= sizeof request->ifr_name) {
        errno = ENAMETOOLONG;
        return -1;
    }
    strcpy(request->ifr_name, interface);
    return 0;
}

int clab_packet_socket(const char *interface) {
    struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
    int on = 1, buffer = 4 << 20;
    int descriptor = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return -1;
    address.sll_ifindex = (int)if_nametoindex(interface);
    if (address.sll_ifindex == 0 || setsockopt(descriptor, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on) < 0
        || setsockopt(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer) < 0
        || setsockopt(descriptor, SOL_SOCKET, SO_SNDBUFFORCE, &buffer, sizeof buffer) < 0
        || bind(descriptor, (struct sockaddr *)&address, sizeof address) < 0) {
        int error = errno;
        close(descriptor);
        errno = error;
        return -1;
    }
    return descriptor;
}

int clab_offload_off(const char *interface) {
    const uint32_t commands[] = {ETHTOOL_STSO, ETHTOOL_SGSO, ETHTOOL_STXCSUM, ETHTOOL_SGRO};
    struct ifreq request;
    if (fill(&request, interface) < 0) return -1;
    int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return -1;
    int code = 0, error = 0;
    for (unsigned i = 0; i < sizeof commands / sizeof *commands && code == 0; i++) {
        struct ethtool_value value = {.cmd = commands[i], .data = 0};
        request.ifr_data = (void *)&value;
        code = ioctl(descriptor, SIOCETHTOOL, &request);
        error = errno;
    }
    close(descriptor);
    errno = error;
    return code;
}

int clab_wait(struct clab_ready *descriptors, int count, int64_t nanoseconds) {
    struct pollfd waiting[count];
    for (int i = 0; i < count; i++) waiting[i] = (struct pollfd){.fd = descriptors[i].descriptor, .events = POLLIN};
    struct timespec time = {.tv_sec = nanoseconds / 1000000000, .tv_nsec = nanoseconds % 1000000000};
    int ready = ppoll(waiting, (nfds_t)count, nanoseconds < 0 ? NULL : &time, NULL);
    for (int i = 0; i < count; i++) descriptors[i].readable = ready > 0 && waiting[i].revents != 0;
    return ready;
}

int clab_real_time(void) {
    struct sched_param parameters = {.sched_priority = 10};
    return sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &parameters);
}

int clab_stop_signals(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0) return -1;
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int clab_spawn(pid_t *pid, const char *path, char *const argv[], char *const envp[], int in, int out, int err, const char *directory) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    const int descriptors[] = {in, out, err};
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    int error = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    if (!error) error = posix_spawnattr_setpgroup(&attributes, 0);
    if (!error) error = posix_spawnattr_setsigdefault(&attributes, &all);
    if (!error) error = posix_spawnattr_setsigmask(&attributes, &none);
    for (int i = 0; i < 3 && !error; i++) {
        error = descriptors[i] < 0 ? posix_spawn_file_actions_addopen(&actions, i, "/dev/null", O_RDWR, 0)
                                   : posix_spawn_file_actions_adddup2(&actions, descriptors[i], i);
    }
    if (!error) error = posix_spawn_file_actions_addclosefrom_np(&actions, 3);
    if (!error && directory) error = posix_spawn_file_actions_addchdir_np(&actions, directory);
    if (!error) error = posix_spawnp(pid, path, &actions, &attributes, argv, envp);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return error;
}

int clab_in_child(int (*body)(void)) {
    pid_t child = fork();
    if (child < 0) return -1;
    if (child == 0) _exit(body());
    int status = 0;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR) return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 256 + WTERMSIG(status);
}
