#include "modes.h"
#include "fakecamera.h"

#include <errno.h>

static const struct mode sizes[] = {{320, 180, {25, 15}}, {640, 360, {25, 15}}, {1280, 720, {10}}};
enum { SIZES = sizeof sizes / sizeof sizes[0] };

const struct mode *modes_first(void) { return &sizes[1]; }

// Questions, each answered with 0 or errno. Source: the kernel's "Video for Linux API", by the name of the request.

int modes_capability(struct v4l2_capability *answer) {
    *answer = (struct v4l2_capability){.driver = "stand-in", .card = FAKECAMERA_CARD, .bus_info = FAKECAMERA_BUS, .version = 6 << 16};
    answer->device_caps = V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING | V4L2_CAP_EXT_PIX_FORMAT;
    answer->capabilities = answer->device_caps | V4L2_CAP_DEVICE_CAPS;
    return 0;
}

int modes_input(struct v4l2_input *answer) {
    if (answer->index > 0) return EINVAL;
    *answer = (struct v4l2_input){.name = "Camera 1", .type = V4L2_INPUT_TYPE_CAMERA};
    return 0;
}

int modes_format(struct v4l2_fmtdesc *answer) {
    if (answer->index > 0 || answer->type != V4L2_BUF_TYPE_VIDEO_CAPTURE) return EINVAL;
    *answer = (struct v4l2_fmtdesc){.type = answer->type, .description = "YUYV 4:2:2", .pixelformat = V4L2_PIX_FMT_YUYV};
    return 0;
}

int modes_frameSize(struct v4l2_frmsizeenum *answer) {
    if (answer->index >= SIZES || answer->pixel_format != V4L2_PIX_FMT_YUYV) return EINVAL;
    answer->type = V4L2_FRMSIZE_TYPE_DISCRETE;
    answer->discrete.width = sizes[answer->index].width;
    answer->discrete.height = sizes[answer->index].height;
    return 0;
}

int modes_frameInterval(struct v4l2_frmivalenum *answer) {
    if (answer->index >= 2 || answer->pixel_format != V4L2_PIX_FMT_YUYV) return EINVAL;
    for (const struct mode *size = sizes; size < sizes + SIZES; size++) {
        if (size->width != answer->width || size->height != answer->height || size->rates[answer->index] == 0) continue;
        answer->type = V4L2_FRMIVAL_TYPE_DISCRETE;
        answer->discrete = (struct v4l2_fract){1, size->rates[answer->index]};
        return 0;
    }
    return EINVAL;
}

int modes_describe(const struct mode *size, struct v4l2_format *answer) {
    answer->fmt.pix = (struct v4l2_pix_format){
        .width = size->width, .height = size->height, .pixelformat = V4L2_PIX_FMT_YUYV, .field = V4L2_FIELD_NONE,
        .bytesperline = size->width * 2, .sizeimage = size->width * size->height * 2, .colorspace = V4L2_COLORSPACE_SRGB,
        .priv = V4L2_PIX_FMT_PRIV_MAGIC,
    };
    return 0;
}

// As a driver does it, what is there is given for what was asked: the smallest size that has it, or the largest.
const struct mode *modes_fitting(const struct v4l2_format *wish) {
    const struct mode *size = sizes;
    while (size < sizes + SIZES - 1 && (size->width < wish->fmt.pix.width || size->height < wish->fmt.pix.height)) size++;
    return size;
}
