// What the camera is and which pictures it has.
#ifndef STRATA_CAMERA_MODES_H
#define STRATA_CAMERA_MODES_H

#include <linux/videodev2.h>
#include <stdint.h>

#pragma GCC visibility push(hidden)

// A size, and its rates, the fastest first, up to a zero.
struct mode {
    uint32_t width, height, rates[3];
};

// What is in force when it is opened.
const struct mode *modes_first(void);
const struct mode *modes_fitting(const struct v4l2_format *wish);
int modes_describe(const struct mode *size, struct v4l2_format *answer);
int modes_capability(struct v4l2_capability *answer);
int modes_input(struct v4l2_input *answer);
int modes_format(struct v4l2_fmtdesc *answer);
int modes_frameSize(struct v4l2_frmsizeenum *answer);
int modes_frameInterval(struct v4l2_frmivalenum *answer);

#pragma GCC visibility pop

#endif
