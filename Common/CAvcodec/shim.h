// Pictures by libavcodec: key frames of H.264 and H.265 to JPEG, PNG and JPEG to H.264 and H.265 (FFmpeg 5.1 of Debian 12 to 7.1 of 13).
// The constants are macros that Swift cannot import, or whose names have moved between the versions.
#ifndef STRATA_AVCODEC_SHIM_H
#define STRATA_AVCODEC_SHIM_H

#include <libavcodec/avcodec.h>
#include <libavutil/log.h>
#include <libavutil/pixdesc.h>
#include <libswscale/swscale.h>

// A picture at once, also from a recovery point; what is missing in it is told by its decode_error_flags.
static inline int strata_av_still_flags(void) { return AV_CODEC_FLAG_LOW_DELAY | AV_CODEC_FLAG_OUTPUT_CORRUPT; }
// A quantizer instead of a rate, and no name of the library in the file.
static inline int strata_av_jpeg_flags(void) { return AV_CODEC_FLAG_QSCALE | AV_CODEC_FLAG_BITEXACT; }
// A file whose checksums are wrong is refused.
static inline int strata_av_strict_flags(void) { return AV_EF_CRCCHECK | AV_EF_EXPLODE; }
static inline int strata_av_quality(int quantizer) { return FF_QP2LAMBDA * quantizer; }
static inline void strata_av_be_quiet(void) { av_log_set_level(AV_LOG_QUIET); }

// Whether the samples lie in planes of their own, without a palette, an alpha plane or colours other than luma and two differences.
static inline int strata_av_is_planar(const AVPixFmtDescriptor *format) {
    return (format->flags & ~(uint64_t)AV_PIX_FMT_FLAG_PLANAR) == 0;
}

#endif
