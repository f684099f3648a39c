// zlib, and its initialisers, which are macros that pass the version and the structure's size.
#ifndef STRATA_ZLIB_SHIM_H
#define STRATA_ZLIB_SHIM_H

#include <zlib.h>

// Window bits: 15 raw is -15, gzip is 15 + 16 (zlib.h, deflateInit2).
static inline int strata_deflate_init(z_stream *stream, int level, int window_bits, int memory) {
    return deflateInit2(stream, level, Z_DEFLATED, window_bits, memory, Z_DEFAULT_STRATEGY);
}
static inline int strata_inflate_init(z_stream *stream, int window_bits) {
    return inflateInit2(stream, window_bits);
}

#endif
