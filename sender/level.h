/* level.h - the level that zstd runs at, so that the link is the limit and not
 * zstd: of the first object by samples of its claim, compressed at one level
 * after another; of every other by how the one before it did beside the link.
 * One level an object: zstd changes none within a frame. */
#ifndef KM_LEVEL_H
#define KM_LEVEL_H

#include <stdbool.h>

#include "sender/claim.h"
#include "sender/compress.h"

enum {
	LEVEL_SMALL = 1 << 20,   /* bytes of files: no more are compressed well whatever they are */
	LEVEL_SAMPLES = 4,
	LEVEL_SAMPLE = 64 << 10, /* bytes of each */
};

struct level {
	struct compress *compress;
	uint64_t rate;     /* bit/s of the link */
	int level;         /* of the next object */
	bool tried;        /* an object was compressed at it, or samples */
	uint64_t began_ns; /* when the present object did; 0: nothing is learnt from it */
};

void level_init(struct level *l, struct compress *c, uint64_t rate);
/* An object begins, of this claim; with what?  A level, or COMPRESS_STORED if the
 * samples do not shrink.  buf: LEVEL_SAMPLES * LEVEL_SAMPLE bytes, overwritten. */
int level_first(struct level *l, const struct claim *c, uint8_t *buf);
/* All files are in it, and it has so many bytes. */
void level_done(struct level *l, uint64_t length);

#endif
