/* assemble.h - symbols become objects (PROTOCOL.md, section 3.3).
 *
 * Source symbols of large objects are gathered in memory and written in large
 * pieces (stage.h); those of small ones go to their place in the object's part
 * file, consecutive ones together; repair symbols wait in a bounded pool; as soon as any k symbols
 * of a block are there, an errand (decode.h) computes what is lost.  Another
 * (flush.h) makes the map durable after the data, every second or so.  The
 * thread that calls these functions waits for neither.
 *
 * Everything comes from an authenticated peer and is hostile all the same:
 * memory is bounded by struct assemble_limits whatever arrives, and what does
 * not fit with what came before is refused with a counter. */
#ifndef KM_ASSEMBLE_H
#define KM_ASSEMBLE_H

#include <stdbool.h>
#include <stdint.h>

#include "host/window.h"
#include "receiver/receiver_messages.h"

enum { ASSEMBLE_BLOCK_MAX = 24 << 20 }; /* bytes of the source of a block */

struct assemble_limits {
	uint64_t object;   /* bytes of the largest object */
	uint32_t objects;  /* open at a time, in equal shares for the senders */
	uint32_t files;    /* objects whose files are open, those included that are complete and whose map is not durable yet; half in shares */
	uint64_t parity;   /* bytes of repair symbols; like the next in equal shares */
	uint64_t meta;     /* bytes of bitmaps and block tables */
	uint32_t chunks;   /* of stage.h: MiB of large objects in memory */
	struct window *window; /* of so many pieces, for the chunks; or NULL */
	uint32_t delivered; /* objects remembered as complete */
	uint64_t stale_ns;  /* an unfinished object is given up after so long without a symbol */
};

/* To the store process.  Each returns 1 taken, 0 not now (asked again at the next tick). */
struct assemble_sink {
	int (*complete)(void *ctx, const struct msg_object *o);
	int (*discard)(void *ctx, const struct msg_object *o);
	int (*progress)(void *ctx, const struct msg_progress *p); /* of a large object; only the newest counts */
	int (*expired)(void *ctx, const struct msg_object *o); /* it is given up (stale_ns); discard() of it follows */
};

struct assemble;

/* key_id: 8 bytes for each of the senders.  counter: LC_COUNT counters, the
 * caller's.  NULL: no memory or thread. */
struct assemble *assemble_new(const struct assemble_limits *l, const uint8_t (*key_id)[8], uint32_t senders,
    const struct assemble_sink *sink, void *ctx, uint64_t *counter);
void assemble_set_object_max(struct assemble *a, uint64_t bytes);
/* A part file to use: fresh, or one from before the restart, whose head and
 * map are loaded.  direct_fd: the data past the page cache, or -1.  Takes the descriptors. */
void assemble_slot(struct assemble *a, uint32_t slot, int data_fd, int map_fd, int direct_fd, uint64_t now_ns);
uint32_t assemble_slots_free(const struct assemble *a);
/* One authentic symbol; data stays valid until assemble_write().  The counter that it belongs to. */
enum link_counter assemble_symbol(struct assemble *a, uint32_t sender, const struct frame_symbol *s,
    const uint8_t *data, uint64_t now_ns);
/* Write what the symbols brought since the last call: at the end of each batch. */
void assemble_write(struct assemble *a);
bool assemble_has_whole(const struct assemble *a); /* an object is complete but for being written */
bool assemble_holds(const struct assemble *a); /* is any data of assemble_symbol() still needed? */
/* Take back finished errands, start due ones, tell what is to be told. */
void assemble_tick(struct assemble *a, uint64_t now_ns);
int assemble_fd(const struct assemble *a, int which); /* 0, 1, 2: readable when an errand finished */
void assemble_done(struct assemble *a, uint32_t sender, const uint8_t id[static 16]);
void assemble_forget(struct assemble *a, uint32_t sender, const uint8_t id[static 16]);
/* Fill the part of *s about objects. */
void assemble_stats(const struct assemble *a, struct msg_stats *s);
/* Wait until no errand is under way or due (tests; and the end). */
void assemble_settle(struct assemble *a, uint64_t now_ns);
/* Make every map durable, close everything. */
void assemble_free(struct assemble *a);

#endif
