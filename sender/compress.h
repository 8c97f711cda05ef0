/* compress.h - a stream into one zstd frame (PROTOCOL.md, section 5.6).
 * Bounded memory: the window is at most 8 MiB, the output leaves in pieces. */
#ifndef KM_COMPRESS_H
#define KM_COMPRESS_H

#include <stddef.h>

enum { COMPRESS_LEVEL = 3, COMPRESS_WINDOW_LOG = 21 };

typedef int compress_sink(void *ctx, const void *data, size_t n); /* 0, or non-zero to stop */

struct compress; /* opaque; reusable, a frame at a time */
struct compress *compress_new(void); /* NULL: out of memory */
void compress_free(struct compress *c);
void compress_begin(struct compress *c, compress_sink *sink, void *ctx);
/* 0, or -1 if the sink stopped (the frame is then of no use). */
int compress_write(struct compress *c, const void *data, size_t n) __attribute__((warn_unused_result));
int compress_end(struct compress *c) __attribute__((warn_unused_result)); /* the frame's end */

#endif
