/* kept.h - the bytes of small claimed files, in memory from the moment they are
 * taken until they are sealed: each is opened and read once, and what is checked
 * is what is sealed.
 *
 * The room is bounded.  What finds none, or is not so small, is read from its
 * file each time instead; nothing depends on which.  One thread takes and gives back. */
#ifndef KM_KEPT_H
#define KM_KEPT_H

#include <stddef.h>
#include <stdint.h>

enum {
	KEPT_FILE_MAX = 32 << 10, /* bytes of a file that may be kept */
	KEPT_BLOCK = 256 << 10,
	KEPT_BLOCKS_MAX = 96,     /* 24 MiB in all */
};

struct kept_block {
	struct kept_block *next;
	size_t used;
	uint8_t bytes[];
};

struct kept_room { /* zero it first */
	struct kept_block *free;
	void *whole; /* all of it in one piece, if it was made at once */
	unsigned made;
};

struct kept { /* of one claim; zero: nothing */
	struct kept_room *room;
	struct kept_block *first;
};

/* All of an empty room's memory is made now (host/big.h); what cannot be had, when it is needed. */
void kept_make(struct kept_room *room);
/* n bytes, at most KEPT_FILE_MAX, that are k's until kept_end(); NULL: there is no room. */
uint8_t *kept_take(struct kept *k, struct kept_room *room, size_t n);
void kept_end(struct kept *k);
void kept_room_end(struct kept_room *room); /* all of it came back */

#endif
