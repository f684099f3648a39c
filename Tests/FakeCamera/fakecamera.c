#define _GNU_SOURCE
#include "fakecamera.h"
#include "modes.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/videodev2.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

// Source: Documentation/admin-guide/devices.txt of the kernel, 81 char.
#define VIDEO_MAJOR 81
#define SECOND 1000000000LL
#define HANDLES 64
#define BUFFERS 32

// What a program holds open is one end of a pair of sockets, so that the kernel itself answers poll, dup and close for it: a byte lies
// there for each picture that is ready. A handle is found by the socket's inode, whichever descriptor names it.
typedef struct {
    ino_t socket;  // 0: free
    int driver;    // our end of the pair; -1 once the camera is gone, whose handle is kept to the end of the process
    int node;      // the device node, without opening it: it is removed when it has no link any more
    ino_t place;
    const struct mode *size;
    uint32_t rate;
    int memory;
    uint8_t *bytes;
    uint32_t count;
    enum { OURS, QUEUED, READY } state[BUFFERS];
    uint32_t queue[2][BUFFERS], length[2];  // indices, oldest first: queued, ready
    uint32_t sequence[BUFFERS];
    int64_t moment[BUFFERS];
    bool isStreaming;
    pthread_t thread;
} handle;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;  // of all that follows
static handle handles[HANDLES];

static uint32_t length(const handle *one) {
    uint32_t page = 4096, bytes = one->size->width * one->size->height * 2;
    return (bytes + page - 1) / page * page;
}

static bool isGone(const handle *one) {
    struct stat node;
    return one->driver < 0 || fstat(one->node, &node) != 0 || node.st_nlink == 0;
}

static int64_t now(void) {
    struct timespec moment;
    clock_gettime(CLOCK_MONOTONIC, &moment);
    return moment.tv_sec * SECOND + moment.tv_nsec;
}

static uint32_t take(handle *one, int which) {
    uint32_t first = one->queue[which][0];
    memmove(one->queue[which], one->queue[which] + 1, --one->length[which] * sizeof(uint32_t));
    return first;
}

static void put(handle *one, int which, uint32_t index) { one->queue[which][one->length[which]++] = index; }

// The kernel's own mmap(2).
static void *map(void *address, size_t size, int protection, int flags, int descriptor, off_t offset) {
    return (void *)syscall(SYS_mmap, address, size, protection, flags, descriptor, offset);
}

// Opening

static void forgetBuffers(handle *one) {
    if (one->bytes != NULL) munmap(one->bytes, (size_t)length(one) * one->count);
    if (one->memory >= 0) close(one->memory);
    one->bytes = NULL;
    one->memory = -1;
    one->count = one->length[0] = one->length[1] = 0;
    memset(one->state, 0, sizeof one->state);
}

static void release(handle *one) {
    forgetBuffers(one);
    if (one->driver >= 0) close(one->driver);
    close(one->node);
    one->socket = 0;
}

// Those that nobody has open any more; the pictures' thread does it for those that stream.
static void sweep(void) {
    for (handle *one = handles; one < handles + HANDLES; one++) {
        struct pollfd end = {.fd = one->driver};
        if (one->socket != 0 && !one->isStreaming && poll(&end, 1, 0) == 1 && end.revents & POLLHUP) release(one);
    }
}

// -1 with errno.
static int openCamera(const char *path, int flags) {
    handle *one = handles;
    sweep();
    while (one < handles + HANDLES && one->socket != 0) one++;
    int ends[2], type = SOCK_SEQPACKET | (flags & O_NONBLOCK ? SOCK_NONBLOCK : 0) | (flags & O_CLOEXEC ? SOCK_CLOEXEC : 0);
    if (one == handles + HANDLES) return errno = EMFILE, -1;
    int node = (int)syscall(SYS_openat, AT_FDCWD, path, O_PATH | O_CLOEXEC, 0);
    if (node < 0) return -1;
    struct stat place, end;
    if (fstat(node, &place) != 0 || socketpair(AF_UNIX, type, 0, ends) != 0) return close(node), -1;
    fstat(ends[0], &end);
    fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    // Never read: so the end of our side is an error at theirs (POLLERR and POLLHUP), as that of a driver is.
    if (write(ends[0], "", 1) != 1) abort();
    *one = (handle){
        .socket = end.st_ino, .driver = ends[1], .node = node, .place = place.st_ino, .memory = -1,
        .size = modes_first(), .rate = modes_first()->rates[0],
    };
    return ends[0];
}

static handle *find(int descriptor) {
    struct stat file;
    if (descriptor < 0 || fstat(descriptor, &file) != 0 || !S_ISSOCK(file.st_mode)) return NULL;
    for (handle *one = handles; one < handles + HANDLES; one++) {
        if (one->socket == file.st_ino) return one;
    }
    return NULL;
}

// Pictures

static void show(handle *one, uint32_t picture) {
    uint32_t index = take(one, 0), stride = one->size->width * 2;
    uint8_t *bytes = one->bytes + (size_t)index * length(one);
    fakecamera_draw(bytes, one->size->width, picture, one->rate);
    for (uint32_t y = 1; y < one->size->height; y++) memcpy(bytes + y * stride, bytes, stride);
    one->sequence[index] = picture;
    one->moment[index] = now();
    one->state[index] = READY;
    put(one, 1, index);
    // Where nobody is left to hear of it the thread ends.
    send(one->driver, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
}

// One for each interval; a picture for which no buffer is queued is lost, and its number with it.
static void *stream(void *argument) {
    handle *one = argument;
    int64_t began = now();
    for (uint32_t picture = 0, due;; picture = due > picture ? due : picture + 1) {
        int64_t left = began + picture * SECOND / one->rate - now();
        struct timespec wait = {.tv_sec = left > 0 ? left / SECOND : 0, .tv_nsec = left > 0 ? left % SECOND : 0};
        struct pollfd end = {.fd = one->driver};
        bool isClosed = ppoll(&end, 1, &wait, NULL) == 1, isOver = true;
        due = (uint32_t)((now() - began) * one->rate / SECOND);
        pthread_mutex_lock(&lock);
        if (!one->isStreaming) {
            // Somebody waits for this thread.
        } else if (isClosed) {
            pthread_detach(pthread_self());
            release(one);
        } else if (isGone(one)) {
            pthread_detach(pthread_self());
            close(one->driver);
            one->driver = -1;
            one->isStreaming = false;
        } else {
            isOver = false;
            if (one->length[0] > 0) show(one, picture);
        }
        pthread_mutex_unlock(&lock);
        if (isOver) return NULL;
    }
}

static int start(handle *one) {
    if (one->count == 0) return EINVAL;
    if (one->isStreaming) return 0;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    one->isStreaming = pthread_create(&one->thread, NULL, stream, one) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return one->isStreaming ? 0 : ENOMEM;
}

static int stop(handle *one, int descriptor) {
    if (one->isStreaming) {
        one->isStreaming = false;
        pthread_mutex_unlock(&lock);
        pthread_join(one->thread, NULL);
        pthread_mutex_lock(&lock);
    }
    char byte;
    while (recv(descriptor, &byte, 1, MSG_DONTWAIT) == 1) {}
    one->length[0] = one->length[1] = 0;
    memset(one->state, 0, sizeof one->state);
    return 0;
}

// Orders, each answered with 0 or errno. Source: the kernel's "Video for Linux API", by the name of the request.

// Whether another one has the camera's buffers: a camera streams once.
static bool isTaken(const handle *mine) {
    sweep();
    for (handle *one = handles; one < handles + HANDLES; one++) {
        if (one != mine && one->socket != 0 && one->place == mine->place && one->count > 0 && !isGone(one)) return true;
    }
    return false;
}

static int setFormat(handle *one, struct v4l2_format *wish) {
    if (one->count > 0 || isTaken(one)) return EBUSY;
    one->size = modes_fitting(wish);
    one->rate = one->size->rates[0];
    return modes_describe(one->size, wish);
}

static int parameters(const handle *one, struct v4l2_streamparm *answer) {
    if (answer->type != V4L2_BUF_TYPE_VIDEO_CAPTURE) return EINVAL;
    answer->parm.capture = (struct v4l2_captureparm){.capability = V4L2_CAP_TIMEPERFRAME, .timeperframe = {1, one->rate}};
    return 0;
}

static int setParameters(handle *one, struct v4l2_streamparm *wish) {
    if (one->isStreaming || isTaken(one)) return EBUSY;
    struct v4l2_fract interval = wish->parm.capture.timeperframe;
    one->rate = one->size->rates[0];
    for (const uint32_t *rate = one->size->rates; *rate != 0; rate++) {
        if (interval.numerator > 0 && interval.denominator <= *rate * interval.numerator) one->rate = *rate;
    }
    return parameters(one, wish);
}

static int requestBuffers(handle *one, struct v4l2_requestbuffers *wish) {
    wish->capabilities = V4L2_BUF_CAP_SUPPORTS_MMAP;
    if (wish->type != V4L2_BUF_TYPE_VIDEO_CAPTURE || wish->memory != V4L2_MEMORY_MMAP) return EINVAL;
    if (one->isStreaming || isTaken(one)) return EBUSY;
    forgetBuffers(one);
    if (wish->count == 0) return 0;
    wish->count = wish->count < 2 ? 2 : wish->count > BUFFERS ? BUFFERS : wish->count;
    size_t size = (size_t)length(one) * wish->count;
    one->memory = memfd_create("camera", MFD_CLOEXEC);
    if (one->memory < 0 || ftruncate(one->memory, (off_t)size) != 0) return ENOMEM;
    void *bytes = map(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, one->memory, 0);
    if (bytes == MAP_FAILED) return ENOMEM;
    one->bytes = bytes;
    one->count = wish->count;
    return 0;
}

static int buffer(const handle *one, struct v4l2_buffer *answer) {
    uint32_t index = answer->index, flags[] = {0, V4L2_BUF_FLAG_QUEUED, V4L2_BUF_FLAG_QUEUED | V4L2_BUF_FLAG_DONE};
    if (index >= one->count || answer->type != V4L2_BUF_TYPE_VIDEO_CAPTURE) return EINVAL;
    *answer = (struct v4l2_buffer){
        .index = index, .type = V4L2_BUF_TYPE_VIDEO_CAPTURE, .memory = V4L2_MEMORY_MMAP, .m.offset = index * length(one),
        .length = length(one), .bytesused = one->size->width * one->size->height * 2, .field = V4L2_FIELD_NONE,
        .sequence = one->sequence[index], .timestamp = {one->moment[index] / SECOND, one->moment[index] % SECOND / 1000},
        .flags = V4L2_BUF_FLAG_MAPPED | V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC | flags[one->state[index]],
    };
    return 0;
}

static int queue(handle *one, struct v4l2_buffer *wish) {
    if (wish->index >= one->count || one->state[wish->index] != OURS) return EINVAL;
    one->state[wish->index] = QUEUED;
    put(one, 0, wish->index);
    return buffer(one, wish);
}

static int dequeue(handle *one, int descriptor, struct v4l2_buffer *answer) {
    char byte;
    if (!one->isStreaming) return EINVAL;
    pthread_mutex_unlock(&lock);
    ssize_t count = recv(descriptor, &byte, 1, 0);
    int code = count == 1 ? 0 : count < 0 && errno == EAGAIN ? EAGAIN : ENODEV;
    pthread_mutex_lock(&lock);
    if (code != 0) return code;
    if (one->length[1] == 0) return EINVAL;
    answer->index = take(one, 1);
    one->state[answer->index] = OURS;
    return buffer(one, answer);
}

static int answer(handle *one, int descriptor, unsigned long request, void *argument) {
    struct v4l2_format *wish = argument;
    // As the kernel does it for all drivers (drivers/media/v4l2-core/v4l2-dev.c, v4l2_ioctl).
    if (isGone(one)) return ENODEV;
    switch (request) {
    case VIDIOC_QUERYCAP: return modes_capability(argument);
    case VIDIOC_ENUMINPUT: return modes_input(argument);
    case VIDIOC_G_INPUT: return *(int *)argument = 0, 0;
    case VIDIOC_S_INPUT: return *(int *)argument == 0 ? 0 : EINVAL;
    case VIDIOC_ENUM_FMT: return modes_format(argument);
    case VIDIOC_ENUM_FRAMESIZES: return modes_frameSize(argument);
    case VIDIOC_ENUM_FRAMEINTERVALS: return modes_frameInterval(argument);
    case VIDIOC_G_FMT: return wish->type == V4L2_BUF_TYPE_VIDEO_CAPTURE ? modes_describe(one->size, wish) : EINVAL;
    case VIDIOC_TRY_FMT: return wish->type == V4L2_BUF_TYPE_VIDEO_CAPTURE ? modes_describe(modes_fitting(wish), wish) : EINVAL;
    case VIDIOC_S_FMT: return wish->type == V4L2_BUF_TYPE_VIDEO_CAPTURE ? setFormat(one, wish) : EINVAL;
    case VIDIOC_G_PARM: return parameters(one, argument);
    case VIDIOC_S_PARM: return setParameters(one, argument);
    case VIDIOC_REQBUFS: return requestBuffers(one, argument);
    case VIDIOC_QUERYBUF: return buffer(one, argument);
    case VIDIOC_QBUF: return queue(one, argument);
    case VIDIOC_DQBUF: return dequeue(one, descriptor, argument);
    case VIDIOC_STREAMON: return start(one);
    case VIDIOC_STREAMOFF: return stop(one, descriptor);
    // It has no controls.
    case VIDIOC_QUERYCTRL: case VIDIOC_QUERY_EXT_CTRL: case VIDIOC_G_CTRL: case VIDIOC_S_CTRL: return EINVAL;
    // No standards, timings, selections, events, and no buffers for other devices (EXPBUF).
    default: return ENOTTY;
    }
}

// The calls in whose way this stands

static bool isCamera(const char *path) {
    struct stat node;
    return strncmp(path, "/dev/video", 10) == 0 && stat(path, &node) == 0 && S_ISCHR(node.st_mode) && major(node.st_rdev) == VIDEO_MAJOR;
}

int open(const char *path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    mode_t mode = flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(more, mode_t) : 0;
    va_end(more);
    if (flags & O_PATH || !isCamera(path)) return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
    pthread_mutex_lock(&lock);
    int descriptor = openCamera(path, flags);
    pthread_mutex_unlock(&lock);
    return descriptor;
}

int open64(const char *path, int flags, ...) __attribute__((alias("open")));

int ioctl(int descriptor, unsigned long request, ...) {
    va_list more;
    va_start(more, request);
    void *argument = va_arg(more, void *);
    va_end(more);
    pthread_mutex_lock(&lock);
    handle *one = find(descriptor);
    int code = one == NULL ? 0 : answer(one, descriptor, request, argument);
    pthread_mutex_unlock(&lock);
    if (one == NULL) return (int)syscall(SYS_ioctl, descriptor, request, argument);
    if (code != 0) errno = code;
    return code == 0 ? 0 : -1;
}

void *mmap(void *address, size_t size, int protection, int flags, int descriptor, off_t offset) {
    pthread_mutex_lock(&lock);
    handle *one = flags & MAP_ANONYMOUS ? NULL : find(descriptor);
    if (one != NULL) descriptor = one->memory;
    pthread_mutex_unlock(&lock);
    return map(address, size, protection, flags, descriptor, offset);
}

void *mmap64(void *address, size_t size, int protection, int flags, int descriptor, off_t offset) __attribute__((alias("mmap")));
