/* decompress.h - exactly one zstd frame (PROTOCOL.md, section 5.6), bounded:
 * window at most 8 MiB, no dictionary, nothing after it, output capped.  Run
 * by the check process on bytes that an authenticated sender chose. */
#ifndef KM_DECOMPRESS_H
#define KM_DECOMPRESS_H

#include <stddef.h>
#include <stdint.h>

enum decompress_err {
	DECOMPRESS_OK = 0,
	DECOMPRESS_EFORMAT = -1, /* not a zstd frame, or damaged */
	DECOMPRESS_EWINDOW = -2, /* needs more memory than allowed */
	DECOMPRESS_EDICT = -3,   /* refers to a dictionary */
	DECOMPRESS_EMORE = -4,   /* bytes, or a second frame, after the first */
	DECOMPRESS_ELESS = -5,   /* ends too early */
	DECOMPRESS_ECAP = -6,    /* more output than the caller allows */
	DECOMPRESS_ESINK = -7,
	DECOMPRESS_ENOMEM = -8,
};

typedef int decompress_sink(void *ctx, const uint8_t *data, size_t n); /* 0, or non-zero to stop */

/* Where output is to be put, instead of memory of its own: *n bytes, 1 at least.  The sink gets this very address.  NULL: stop. */
typedef uint8_t *decompress_room(void *ctx, size_t *n);

/* How many of the n bytes at data, which are output as they are and lie in what decompress_write() was given, may stay there:
 * the sink then gets this very address.  0: they are copied as any output. */
typedef size_t decompress_stays(void *ctx, const uint8_t *data, size_t n);

struct decompress;

struct decompress *decompress_new(void); /* NULL: no memory */
void decompress_free(struct decompress *d);
/* A new frame whose output is at most cap bytes. */
void decompress_begin(struct decompress *d, uint64_t cap, decompress_sink *sink, void *ctx);
/* Of this frame.  room NULL: into its own; stays NULL: nothing. */
void decompress_into(struct decompress *d, decompress_room *room, decompress_stays *stays);
enum decompress_err decompress_write(struct decompress *d, const uint8_t *data, size_t n)
    __attribute__((warn_unused_result)); /* errors are sticky */
enum decompress_err decompress_end(struct decompress *d) __attribute__((warn_unused_result));
const char *decompress_strerror(enum decompress_err e);

#endif
