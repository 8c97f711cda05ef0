/* stage.h - the symbols of large objects, gathered in memory until a whole
 * piece of the part file is there, and then written by a thread.
 *
 * A chunk is STAGE_CHUNK bytes of one object's file, aligned in memory and in
 * the file, so that it can be written past the page cache (O_DIRECT), whose
 * first touch costs several times as much as the network.  A chunk with holes
 * (lost symbols) waits in memory for the block to be repaired, and decoding
 * reads it there.
 *
 * Each byte range of the file has one writer at a time: a chunk is taken into
 * memory only if nothing of it was written before; what comes for it after it
 * left memory (with its holes, for want of room or by age) is written to the
 * file directly.  What of a hole shares a page with something is written as whatever was in memory: the map (parts.h)
 * says what is there.  Pages of nothing are not written: a datagram for each chunk must not cost the disk as many megabytes.
 *
 * With a window (host/window.h) the chunks lie in it, and open finds there what
 * was written last, whole pieces only, under the number of the part file.
 *
 * Called from one thread only; nothing here waits for the disk but stage_put()
 * of a late symbol. */
#ifndef KM_STAGE_H
#define KM_STAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/errand.h"
#include "host/window.h"
#include "receiver/object.h"

enum {
	STAGE_CHUNK = 1 << 20,
	STAGE_OBJECT_MIN = 1 << 20, /* bytes of the smallest object that is gathered here */
	STAGE_PAGE = 4096,          /* what is written is whole ones */
	STAGE_SHOWN = 16, /* chunks that keep what they held, for open to find, before the first of them is used again */
};
_Static_assert((int)STAGE_CHUNK == (int)WINDOW_PIECE, "a chunk is a piece of the window");
#define STAGE_AGE_NS 1500000000ull /* a chunk is written after so long, whole or not */

struct stage;

struct stage_chunk {
	struct errand errand; /* first: the thread gets its address */
	struct stage_chunk *next; /* in the hash chain, or of those that are free */
	struct object *object;
	uint64_t index;       /* STAGE_CHUNK bytes from index * STAGE_CHUNK on */
	uint8_t *bytes;
	uint32_t have;        /* bytes put in */
	uint32_t span;        /* bytes to write */
	uint8_t pages[STAGE_CHUNK / STAGE_PAGE / 8], due[STAGE_CHUNK / STAGE_PAGE / 8]; /* bits: something was put in; these are to be written */
	int fd, error;
	bool writing, again;  /* again: more was put in while it was being written */
	bool done;            /* written; kept for those who pinned it */
	unsigned pins;
	uint64_t since_ns;
};

/* Room for so many chunks (touched when first used), in a window of as many pieces or, NULL, in memory of its own.
 * NULL: no memory or thread. */
struct stage *stage_new(unsigned chunks, struct window *window);
void stage_free(struct stage *s); /* nothing may be under way; NULL is fine */
bool stage_takes(uint64_t len); /* is an object of this length (0: not known yet) gathered here? */
/* Put a source symbol, whose bit is not set yet, in its place: 0, or the errno of writing a late one. */
int stage_put(struct stage *s, struct object *o, uint64_t symbol, const uint8_t *data, uint64_t now_ns)
    __attribute__((warn_unused_result));
/* Write all of the object that is in memory.  o->chunks counts what is not written yet. */
void stage_finish(struct stage *s, struct object *o);
/* Write what is older than STAGE_AGE_NS. */
void stage_age(struct stage *s, uint64_t now_ns);
/* For each chunk that was written (error 0) or could not be: the symbols that
 * it has a part of, first to last.  wait: until none is under way. */
typedef void stage_written(void *ctx, struct object *o, uint64_t first, uint64_t last, int error);
void stage_take_back(struct stage *s, bool wait, stage_written *written, void *ctx);
unsigned stage_pending(const struct stage *s); /* under way */
int stage_fd(const struct stage *s); /* readable when there is something to take back */
/* Clear in bits[0..n-1], copied from o->bits + at, every symbol that is not wholly in the file. */
void stage_mask(const struct stage *s, const struct object *o, uint8_t *bits, uint64_t at, size_t n);
/* How many chunks from the beginning are wholly in the file, `from` of which are known to be. */
uint64_t stage_lead(const struct stage *s, const struct object *o, uint64_t from);
/* The chunk, if it is in memory: it stays there until it is unpinned.  NULL: it is in the file. */
struct stage_chunk *stage_pin(struct stage *s, struct object *o, uint64_t index);
void stage_unpin(struct stage *s, struct stage_chunk *c);
void stage_drop(struct stage *s, struct object *o); /* forget the object; none of its chunks is under way */

#endif
