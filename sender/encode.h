/* encode.h - a group of blocks read from the disk and its parity computed, in a
 * thread of its own while the group's source symbols already leave.  Small groups
 * have another thread than large ones, and so never wait for one.
 *
 * Round n of an object sends, of each block, the parity symbols numbered
 * n*r, n*r + 1, ... n*r + r - 1, modulo M: so rounds add up.  The first r1 of
 * them are the "early" part, the others the "late" part (layout.h).
 *
 * Memory is bounded: the parity of the groups that are being sent, ENCODE_ROOM
 * together (a single group may always be encoded, however large), and their
 * source (gather.h) as far as ENCODE_SOURCE_ROOM holds it; of what does not fit there, a
 * block at a time is read for its parity, and read again by who sends it. */
#ifndef KM_ENCODE_H
#define KM_ENCODE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sender/gather.h"
#include "sender/layout.h"
#include "sender/recycle.h"

enum {
	ENCODE_ROOM = 2 * LAYOUT_GROUP_MAX,
	ENCODE_SOURCE_ROOM = 3 * LAYOUT_BLOCK_MAX + (1 << 20),
	ENCODE_BOTH = 80 << 20, /* memory of parity and source together: beyond it no more source is held (recycle.h) */
	ENCODE_QUICK = 1 << 20, /* bytes of source and parity of a group that counts as small */
};

enum encode_state { ENCODE_IDLE, ENCODE_QUEUED, ENCODE_READY, ENCODE_FAILED };

struct encode_job {
	/* What: set by the caller. */
	int fd;                  /* the sealed object */
	uint64_t key;            /* and what it is called in the window */
	struct geometry g;       /* as they are now: a length that becomes known later changes no block of the group */
	struct layout l;
	uint32_t round;
	uint32_t first, blocks;  /* the group */
	bool late;               /* which part of the parity */
	/* Result: block after block, count symbols of slen bytes each. */
	uint8_t *parity;
	size_t bytes;            /* of parity */
	struct gather *source;   /* of the group, zero past the object's end; NULL: it is not kept */
	_Atomic size_t have;     /* bytes of it that are there */
	atomic_int state;        /* enum encode_state */
	/* The encoder's own. */
	struct recycle_piece memory[2];
	struct encode_job *next;
};

/* Parity symbols that this part of the job has of block b, and the number (0 to M-1) of the i-th of them. */
uint32_t encode_count(const struct layout_block *b, bool late);
uint32_t encode_number(const struct layout_block *b, uint32_t round, bool late, uint32_t i);

struct encoder;
/* window: on what is written just now (host/window.h), or NULL.  Fatal on failure. */
struct encoder *encoder_start(const struct window *window);
/* Before any job: the memory for two groups of a large object laid out like this is made now (host/big.h). */
void encoder_make(struct encoder *e, const struct layout *l);
void encoder_stop(struct encoder *e);
int encoder_fd(const struct encoder *e); /* eventfd: readable when a job went on; read and cleared by encoder_clear() */
void encoder_clear(struct encoder *e);

/* Begin.  False if there is no room now: try again when another job was released. */
bool encode_submit(struct encoder *e, struct encode_job *j);
bool encode_room(const struct encoder *e, size_t bytes);
/* Is there room for a job that is not needed yet, and for another one after it? */
bool encode_room_ahead(const struct encoder *e, const struct encode_job *j);
size_t encode_bytes(const struct encode_job *j); /* of parity that the job will need */
/* Give the parity back (waits if the thread is at it).  A job never submitted is fine. */
void encode_release(struct encoder *e, struct encode_job *j);

#endif
