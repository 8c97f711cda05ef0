/* compress.h - a stream into one zstd frame (PROTOCOL.md, section 5.6).
 *
 * Bounded memory: the window is the level's, 2 MiB at most, and the output
 * leaves in pieces.  What does not compress is stored: a frame of raw blocks.
 * No checksum of zstd's: the object is sealed, and every file in it hashed.
 *
 * In the caller's thread: a worker of zstd's (nbWorkers = 1) took a fifth to a
 * third more processor time in all, for copies and for waiting (measured), and
 * hashing beside it fills the other core as well. */
#ifndef KM_COMPRESS_H
#define KM_COMPRESS_H

#include <stddef.h>
#include <stdint.h>

enum {
	COMPRESS_LEVEL_MIN = -4, /* measured: -7 saves 4 % of zstd's time more, and makes a fifth more bytes for all the others */
	COMPRESS_LEVEL_MAX = 3,  /* 0 is none: zstd takes it for 3 */
	COMPRESS_STORED = 100, /* in place of a level */
	/* Below 0, where time counts most: no shorter match is looked for (zstd's own: 6).  On Japanese XML that takes 3 % of
	 * the time off compressing, 10 % off decompressing and 1 % off the bytes; on source text 10 and 6, for 6 % more bytes. */
	COMPRESS_FAST_MATCH = 7,
};

typedef int compress_sink(void *ctx, const void *data, size_t n); /* 0, or non-zero to stop */

struct compress; /* opaque; reusable, a frame at a time */
struct compress *compress_new(void); /* NULL: out of memory */
void compress_free(struct compress *c);
void compress_begin(struct compress *c, int level, compress_sink *sink, void *ctx);
/* 0, or -1 if the sink stopped (the frame is then of no use). */
int compress_write(struct compress *c, const void *data, size_t n) __attribute__((warn_unused_result));
/* All that was written has come out. */
int compress_flush(struct compress *c) __attribute__((warn_unused_result));
int compress_end(struct compress *c) __attribute__((warn_unused_result)); /* the frame's end */

/* Bytes that a sample shrinks to at this level; n if it does not. */
size_t compress_sample(struct compress *c, int level, const void *data, size_t n);

/* The level to go on with, so that the link is the limit and not zstd: out
 * bytes were made in ns, and the link carries rate bit/s.  Pure. */
int compress_adapt(int level, uint64_t out, uint64_t ns, uint64_t rate);

#endif
