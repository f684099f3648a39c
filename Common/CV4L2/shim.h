// What `V4L2` needs of the kernel's interface: ioctl is variadic, and request codes are macros with casts.
#ifndef STRATA_V4L2_SHIM_H
#define STRATA_V4L2_SHIM_H

#include <linux/videodev2.h>
#include <sys/ioctl.h>

// ioctl(2) is variadic. Returns -1 with errno.
static inline int strata_ioctl(int descriptor, unsigned long request, void *argument) {
    return ioctl(descriptor, request, argument);
}

static const unsigned long strata_querycap = VIDIOC_QUERYCAP;
static const unsigned long strata_enum_fmt = VIDIOC_ENUM_FMT;
static const unsigned long strata_enum_framesizes = VIDIOC_ENUM_FRAMESIZES;
static const unsigned long strata_enum_frameintervals = VIDIOC_ENUM_FRAMEINTERVALS;
static const unsigned long strata_get_input = VIDIOC_G_INPUT;
static const unsigned long strata_enum_input = VIDIOC_ENUMINPUT;
// An attached device that is off, no signal, or one without synchronisation.
static const unsigned int strata_no_signal = V4L2_IN_ST_NO_POWER | V4L2_IN_ST_NO_SIGNAL | V4L2_IN_ST_NO_SYNC;

#endif
