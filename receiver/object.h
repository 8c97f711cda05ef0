/* object.h - one object being gathered: what of it is there.
 * Private to assemble.c and object.c.  Pure but for memory: no I/O. */
#ifndef KM_OBJECT_H
#define KM_OBJECT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/geometry.h"
#include "receiver/parity.h"

enum { OBJECT_MLOG_UNKNOWN = 0xFF };

struct block {
	uint16_t have;    /* source symbols there */
	uint8_t mlog;     /* log2 M, or OBJECT_MLOG_UNKNOWN */
	bool busy;        /* being computed */
	uint16_t parities, parity_room;
	struct parity_ref {
		uint8_t *symbol;
		uint32_t number; /* 0 to m-1 */
	} *parity;
};

enum object_state {
	OBJECT_GATHERING,
	OBJECT_WHOLE,   /* complete; the store has to be told */
	OBJECT_TOLD,    /* it was told; the map becomes durable, then the files are closed */
	OBJECT_DROPPED, /* forgotten; closed when no errand holds it */
};

struct object {
	struct object *next;      /* in the hash chain */
	struct object *next_all;  /* assemble's list of all */
	struct object *next_whole; /* while listed: complete since the last write */
	bool listed;
	bool staged;              /* gathered in memory first (stage.h); fixed when it begins */
	bool shut;                /* its files were closed: it was complete when it was loaded */
	uint8_t id[16];
	uint32_t sender, slot;
	int data_fd, map_fd;
	int direct_fd;            /* the data past the page cache, or -1 */
	uint64_t lead, lead_told; /* chunks from the beginning that are wholly in the file; and the store knows of */
	unsigned chunks;          /* in memory and not written yet (stage.h) */
	enum object_state state;
	struct geometry geo;
	uint8_t *bits;            /* of source symbols, as in the map file */
	uint64_t bits_room;       /* bytes */
	struct block *block;
	uint32_t block_room;
	uint32_t blocks_done;
	uint64_t have;            /* source symbols there */
	unsigned errands;         /* under way */
	bool flushing;
	bool head_dirty;
	uint64_t dirty_lo, dirty_hi; /* bytes of bits not in the map file yet; lo >= hi: none */
	uint64_t flushed_ns;
	uint64_t touched_ns; /* something came last; may lie before the clock's 0: object_alone_ns() */
};
/* For so long nothing came of it.  (What came last may bear a later time than the batch of datagrams that asks.) */
static inline uint64_t object_alone_ns(const struct object *o, uint64_t now_ns)
{
	int64_t ns = (int64_t)(now_ns - o->touched_ns);

	return ns > 0 ? (uint64_t)ns : 0;
}

struct object_budget { /* shared by all objects of a sender */
	uint64_t used, max;
	uint32_t files; /* objects whose files are open, in whichever state */
	struct parity_pool *pool;
};

/* Room for the blocks up to `block`, and their bits.  -1: not within the budget. */
int object_reach(struct object *o, struct object_budget *b, uint32_t block) __attribute__((warn_unused_result));
/* The length is known now: 0, or -1 if symbols that are there contradict it. */
int object_set_length(struct object *o, struct object_budget *b, uint64_t len) __attribute__((warn_unused_result));
bool object_has(const struct object *o, uint64_t symbol);
/* Mark or unmark a symbol (number in the object).  set: true if the block is complete by it. */
bool object_set(struct object *o, struct object_budget *b, uint64_t symbol);
void object_unset(struct object *o, uint64_t symbol);
/* True if the block has all its source symbols. */
bool object_block_done(const struct object *o, uint32_t block);
bool object_complete(const struct object *o);
/* Keep a repair symbol: 1 kept, 0 there already, -1 no memory. */
int object_parity(struct object *o, struct object_budget *b, uint32_t block, uint32_t number, const uint8_t *symbol);
void object_drop_parity(struct object *o, struct object_budget *b, uint32_t block);
/* After the bits were loaded from a map file: count them. */
void object_recount(struct object *o);
void object_dirty(struct object *o, uint64_t first_symbol, uint64_t last_symbol);
void object_release(struct object *o, struct object_budget *b); /* memory of bits, blocks, parity */

#endif
