/* round.h - one round of one object: which symbol comes next.
 *
 * The blocks of a group (layout.depth of them) are interleaved: symbol n of
 * every block, then symbol n + 1; a block without such a symbol is passed
 * over.  A round sends every source symbol and the early part of its slice of
 * parity; where the layout has a spacing, it pauses so long and then sends
 * the late part, group by group.
 *
 * Source and parity come from the encoder, which reads one group while the one
 * before it leaves; only source that it has no room for is read here.
 *
 * An object that is still being made is sent as far as it goes: groups of full
 * blocks that have more of the object behind them, with length 0
 * (PROTOCOL.md, section 3.3), until round_finish() says how long it is. */
#ifndef KM_ROUND_H
#define KM_ROUND_H

#include "core/frame.h"
#include "sender/encode.h"

enum { ROUND_READ = 64 << 10 }; /* bytes read ahead for a block */

struct round_reader {
	uint8_t *buf;          /* aligned, and a little more than is read */
	const uint8_t *data;   /* in it */
	uint32_t first, count; /* symbols of the block that buf holds */
};

struct round {
	int fd;                 /* owned */
	uint8_t id[FRAME_ID_LEN];
	uint32_t number;        /* rounds before this one */
	struct geometry g;
	struct layout l;
	uint64_t left;          /* datagrams still to send; not counted while the length is unknown */
	uint64_t sent;          /* datagrams */
	uint64_t there;         /* bytes of the object that can be read; UINT64_MAX: it is complete */
	/* Where it is. */
	bool late;              /* in the second half */
	bool open;              /* a group is open: job and readers are its own */
	bool over;              /* all of it was given out, and the caller told so */
	uint32_t first, blocks; /* the group */
	uint32_t column;        /* symbol within the blocks */
	uint32_t at;            /* block of the group */
	size_t parity_at[PLAN_DEPTH_MAX]; /* where each block's parity begins in job.parity */
	struct encode_job job[2]; /* of this group and, early, of the next */
	unsigned now;           /* which is this group's */
	struct round_reader reader[PLAN_DEPTH_MAX];
};

enum round_got {
	ROUND_GOT,    /* a symbol */
	ROUND_WAIT,   /* it is not read, its parity not ready, the object not made so far, or there is no memory for it now: see round_blocked() */
	ROUND_OVER,   /* what was given out of this group goes with the next call: copy what has not left, and call again */
	ROUND_PAUSE,  /* first half done: call again after layout.spacing_ns */
	ROUND_END,
	ROUND_FAILED, /* the object could not be read */
};

/* 0, or -1 if the layout does not fit the object (fd is then still the caller's). */
int round_init(struct round *r, int fd, const uint8_t id[static FRAME_ID_LEN], uint64_t length, const struct layout *l,
    uint32_t number) __attribute__((warn_unused_result));
/* Of an object that is being made; l from layout_stream(), round 0. */
int round_init_stream(struct round *r, int fd, const uint8_t id[static FRAME_ID_LEN], const struct layout *l)
    __attribute__((warn_unused_result));
/* So many bytes can be read now. */
void round_grow(struct round *r, uint64_t there);
/* It is complete; l from layout_stream_end().  0, or -1 if that does not fit what was sent. */
int round_finish(struct round *r, uint64_t length, const struct layout *l) __attribute__((warn_unused_result));
void round_free(struct round *r, struct encoder *e); /* after ROUND_END nothing that was given out is lost by it */

/* The next symbol: fields into *s, log2 M into *mlog, and where its slen bytes are: in memory of the group, which stays
 * until the call after ROUND_OVER (or round_free()), or else in room. */
enum round_got round_next(struct round *r, struct encoder *e, struct frame_symbol *s, uint8_t *mlog, uint8_t *room,
    const uint8_t **symbol);
/* True if round_next() would say ROUND_WAIT again. */
bool round_blocked(const struct round *r, const struct encoder *e);

#endif
