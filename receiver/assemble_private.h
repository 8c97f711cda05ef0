/* assemble_private.h - shared by assemble.c (symbols), assemble_objects.c
 * (objects), assemble_staged.c (large ones, the store), assemble_load.c and assemble_errands.c.  No other file includes it. */
#ifndef KM_ASSEMBLE_PRIVATE_H
#define KM_ASSEMBLE_PRIVATE_H

#include "receiver/assemble.h"
#include "receiver/decode.h"
#include "receiver/delivered.h"
#include "host/errand.h"
#include "receiver/flush.h"
#include "receiver/object.h"
#include "receiver/stage.h"

enum {
	ASSEMBLE_WRITES = 1024, /* symbols that wait to be written together */
	ASSEMBLE_RUN = 256,     /* of them in one call */
	ASSEMBLE_SLOTS = 512,   /* part files ready */
	ASSEMBLE_HASH = 4096,
	ASSEMBLE_FLUSHES = 8,   /* under way at a time */
	ASSEMBLE_FORGOTTEN = 64,
};
#define ASSEMBLE_PROGRESS_NS 5000000ull /* between two looks at how far large objects have come */
#define ASSEMBLE_FLUSH_NS 1000000000ull   /* at least so long between two of one object */
/* A damaged object is not begun again with the rest of the same round. */
#define ASSEMBLE_FORGET_NS 2000000000ull
/* A sender whose MTU changed cuts its objects anew: other symbols of an object of
 * which none came for so long. */
#define ASSEMBLE_RECUT_NS 30000000000ull
#define ASSEMBLE_IDLE_NS 10000000000ull

struct pending_write {
	struct object *object;
	uint64_t symbol; /* number in the object */
	const uint8_t *data;
};

struct ready_block {
	struct object *object;
	uint32_t block;
};

struct ready_slot {
	uint32_t slot;
	int data_fd, map_fd, direct_fd;
};

struct assemble {
	struct assemble_limits limits;
	const struct assemble_sink *sink;
	void *ctx;
	uint64_t *counter;
	uint32_t senders;
	uint8_t (*key_id)[8];

	struct object_budget *budget; /* one for each sender: none can take what the others need */
	struct delivered *delivered;
	struct forgotten {
		uint8_t id[16];
		uint32_t sender;
		uint64_t until_ns;
	} forgotten[ASSEMBLE_FORGOTTEN]; /* in order of time */
	unsigned forgotten_count;
	struct object *bucket[ASSEMBLE_HASH];
	struct object *all;   /* every object, also those told and dropped */
	uint32_t open;        /* in the buckets */
	uint64_t now_ns;      /* of the last tick */
	uint64_t progress_at_ns;
	uint64_t flush_at_ns; /* next look at what is to be flushed */
	uint64_t disk_log_ns, room_log_ns;
	uint64_t disk_look_ns; /* when free space was last asked for */
	bool disk_full;       /* only the reserve is left */

	struct ready_slot slot[ASSEMBLE_SLOTS];
	uint32_t slots;
	struct ready_slot stray[ASSEMBLE_SLOTS]; /* of no use: the store is to be told */
	uint32_t strays;

	struct pending_write write[ASSEMBLE_WRITES];
	uint32_t writes;
	struct ready_block ready[ASSEMBLE_WRITES];
	uint32_t readies;
	struct object *whole; /* complete since the last write */

	struct errands *decoding, *flushing;
	struct stage *stage;
	struct decoder decoder;
	unsigned flushes;
};

/* May this sender begin another object?  Each has an equal share of them; one whose
 * share is used up gives up the object of its own that was touched longest ago,
 * if that was left alone for ASSEMBLE_IDLE_NS. */
bool assemble_has_room(struct assemble *a, uint32_t sender, uint64_t now_ns);
struct object *assemble_find(const struct assemble *a, uint32_t sender, const uint8_t *id);
/* A new object on this slot; NULL: no memory. */
struct object *assemble_add(struct assemble *a, const struct ready_slot *s, uint32_t sender, const uint8_t *id,
    const struct geometry *g);
void assemble_unlist(struct assemble *a, struct object *o);  /* symbols find it no more */
void assemble_release(struct assemble *a, struct object *o); /* free it, close its files */
void assemble_shut(struct assemble *a, struct object *o); /* only close them: all of it is durable */
bool assemble_discard(struct assemble *a, struct object *o); /* give it up, tell the store; false: not now */
void assemble_withdraw(struct assemble *a, struct object *o); /* undo assemble_add(): the slot is free again */
void assemble_repair(struct assemble *a, struct object *o, uint32_t block); /* start the errand */
void assemble_flush(struct assemble *a, struct object *o, uint64_t now_ns); /* likewise */
void assemble_take_back(struct assemble *a, bool wait); /* errands that are done; wait: all of them */
/* Put a source symbol that is not there yet where it belongs, and mark it; 0 or errno. */
int assemble_keep(struct assemble *a, struct object *o, uint64_t symbol, const uint8_t *data);
void assemble_whole(struct assemble *a, struct object *o);                  /* it is complete */
struct msg_object assemble_message(const struct object *o);
bool assemble_fits(struct assemble *a, struct object *o); /* the file of a complete one is as long as the object, now if not before */
/* Tell the store that it is complete; at the next tick again if it cannot listen now. */
void assemble_tell(struct assemble *a, struct object *o, uint64_t now_ns);
void assemble_progress(struct assemble *a);          /* tell it how far large objects have come */
void assemble_staged(struct assemble *a, bool wait); /* take back what was written; wait: all of it */
void assemble_disk_trouble(struct assemble *a, int error);                  /* log, at most every 10 s */

#endif
