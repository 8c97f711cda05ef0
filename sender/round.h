/* round.h - one round of one object: which symbol comes next.
 *
 * The blocks of a group (layout.depth of them) are interleaved: symbol n of
 * every block, then symbol n + 1; a block without such a symbol is passed
 * over.  A round sends every source symbol and the early part of its slice of
 * parity; where the layout has a spacing, it pauses so long and then sends
 * the late part, group by group.
 *
 * Source is read from the object as it is needed; parity comes from the encoder. */
#ifndef KM_ROUND_H
#define KM_ROUND_H

#include "core/frame.h"
#include "sender/encode.h"

enum { ROUND_READ = 64 << 10 }; /* bytes read ahead for a block */

struct round_reader {
	uint8_t *buf;
	uint32_t first, count; /* symbols of the block that buf holds */
};

struct round {
	int fd;                 /* owned */
	uint8_t id[FRAME_ID_LEN];
	uint32_t number;        /* rounds before this one */
	struct geometry g;
	struct layout l;
	uint64_t left;          /* datagrams still to send */
	/* Where it is. */
	bool late;              /* in the second half */
	bool open;              /* a group is open: job and readers are its own */
	uint32_t first, blocks; /* the group */
	uint32_t column;        /* symbol within the blocks */
	uint32_t at;            /* block of the group */
	size_t parity_at[PLAN_DEPTH_MAX]; /* where each block's parity begins in job.parity */
	struct encode_job job;
	struct round_reader reader[PLAN_DEPTH_MAX];
};

enum round_got {
	ROUND_GOT,    /* a symbol */
	ROUND_WAIT,   /* its parity is not ready, or there is no memory for it now: see round_blocked() */
	ROUND_PAUSE,  /* first half done: call again after layout.spacing_ns */
	ROUND_END,
	ROUND_FAILED, /* the object could not be read */
};

/* 0, or -1 if the layout does not fit the object (fd is then still the caller's). */
int round_init(struct round *r, int fd, const uint8_t id[static FRAME_ID_LEN], uint64_t length, const struct layout *l,
    uint32_t number) __attribute__((warn_unused_result));
void round_free(struct round *r, struct encoder *e);

/* The next symbol: fields into *s, log2 M into *mlog, slen bytes to data. */
enum round_got round_next(struct round *r, struct encoder *e, struct frame_symbol *s, uint8_t *mlog, uint8_t *data);
/* True if round_next() would say ROUND_WAIT again. */
bool round_blocked(const struct round *r, const struct encoder *e);

#endif
