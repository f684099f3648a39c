// A camera in place of hardware, for one program: preloaded (LD_PRELOAD), it answers for each character device /dev/video* with the
// kernel's major number 81 as a driver does by the "Video for Linux API": YUYV pictures, streamed from buffers that are mapped.
// There is no such driver behind the node, only the node itself: where it is removed the camera is unplugged.
#ifndef STRATA_CAMERA_H
#define STRATA_CAMERA_H

#include <stdint.h>

// What it calls itself.
#define FAKECAMERA_CARD "Stand-in camera"
#define FAKECAMERA_BUS "usb-0000:00:14.0-2"

// Draws a row of pixels, two of them in four bytes (YUYV): one colour, and a white bar of an eighth of the width that goes from left to
// right once in two seconds.
void fakecamera_draw(uint8_t *row, uint32_t width, uint32_t picture, uint32_t rate);

#endif
