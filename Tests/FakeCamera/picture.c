#include "fakecamera.h"

// Limited range (ITU-R BT.601): a violet that neither the test picture nor the slate has.
enum { GROUND = 80, BAR = 235, NEUTRAL = 128, BLUE = 176, RED = 160 };

void fakecamera_draw(uint8_t *row, uint32_t width, uint32_t picture, uint32_t rate) {
    uint32_t left = (uint64_t)(picture % (2 * rate)) * width / (2 * rate);
    for (uint32_t x = 0; x < width; x += 2, row += 4) {
        int isBar = (x + width - left) % width < width / 8;
        row[0] = row[2] = isBar ? BAR : GROUND;
        row[1] = isBar ? NEUTRAL : BLUE;
        row[3] = isBar ? NEUTRAL : RED;
    }
}
