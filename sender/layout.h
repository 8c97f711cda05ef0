/* layout.h - how one object is cut and protected; fixed when it is numbered
 * and kept in its row, since a receiver that holds a part of it refuses
 * anything that contradicts it (PROTOCOL.md, section 3.3). */
#ifndef KM_LAYOUT_H
#define KM_LAYOUT_H

#include <stdint.h>

#include "core/geometry.h"
#include "core/plan.h"

enum {
	LAYOUT_BLOCK_MAX = 24 << 20, /* bytes of source in a block, on the wire */
	LAYOUT_BLOCK_SOON = 8 << 20, /* of an object that is made more slowly than the link would carry it: a block leaves, and is
	                              * opened, when it is complete, and on such a link a little more repair costs nothing */
	LAYOUT_GROUP_MAX = 32 << 20, /* bytes of parity in memory for the blocks that are interleaved */
};

struct layout_block {
	uint32_t r;    /* parity symbols of a round */
	uint32_t r1;   /* of these, sent at once; the others after spacing_ns */
	uint32_t mlog; /* log2 M */
};

struct layout {
	uint32_t slen;
	uint32_t kfull;
	uint32_t depth; /* blocks of a group */
	uint32_t reserved;
	uint64_t spacing_ns;
	struct layout_block full, last;
	/* The end of an object that was planned before its length was known: blocks
	 * from tail_first on, but for the last.  LAYOUT_NO_TAIL: none. */
	uint32_t tail_first;
	struct layout_block tail;
};
#define LAYOUT_NO_TAIL UINT32_MAX

struct sender_conf;
/* 0, or -1 if no code within the limits holds the configured promise. */
int layout_of(struct layout *l, const struct sender_conf *c, uint64_t length) __attribute__((warn_unused_result));

/* An object that is sent while it is made: laid out for at most `most` bytes, in blocks of at most `block`
 * (LAYOUT_BLOCK_MAX or _SOON).  As long as its length is not known every block is full. */
int layout_stream(struct layout *l, const struct sender_conf *c, uint64_t most, uint64_t block) __attribute__((warn_unused_result));
/* Its length is known: the last group gets numbers of its own.  Both with the same configuration and block. */
int layout_stream_end(struct layout *l, const struct sender_conf *c, uint64_t most, uint64_t block, uint64_t length)
    __attribute__((warn_unused_result));

/* The numbers of block b. */
static inline const struct layout_block *layout_block(const struct layout *l, const struct geometry *g, uint32_t b)
{
	if (b + 1 == g->blocks)
		return &l->last;
	return b >= l->tail_first ? &l->tail : &l->full;
}

/* As text for the row, and back (0, or -1 if it is none of ours). */
enum { LAYOUT_TEXT_MAX = 224 };
void layout_write(char out[static LAYOUT_TEXT_MAX], const struct layout *l);
int layout_read(struct layout *l, const char *text) __attribute__((warn_unused_result));

#endif
