/* level.h - the level that zstd runs at: of a new object by samples of its
 * claim, then by how it does beside the link. */
#ifndef KM_LEVEL_H
#define KM_LEVEL_H

#include "sender/claim.h"
#include "sender/compress.h"

enum {
	LEVEL_SMALL = 1 << 20,   /* bytes of files: no more are compressed well whatever they are */
	LEVEL_SAMPLE = 64 << 10, /* bytes read at a time */
};

struct level {
	struct compress *compress;
	uint64_t rate; /* bit/s of the link */
	int level;     /* as it did well last; also for the next object */
	uint64_t looked_in, looked_out, looked_ns; /* when it was looked at last */
};

void level_init(struct level *l, struct compress *c, uint64_t rate);
/* An object begins, of this claim; with what?  A level, or COMPRESS_STORED if the
 * samples do not shrink.  buf: LEVEL_SAMPLE bytes, overwritten. */
int level_first(struct level *l, const struct claim *c, uint8_t *buf);
/* in more bytes of files went in, and the object is so long now: once in a
 * while the level is chosen anew, and compress is told. */
void level_look(struct level *l, uint64_t in, uint64_t length);

#endif
