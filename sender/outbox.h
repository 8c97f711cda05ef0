/* outbox.h - what was numbered: the database of the sender, and the sealed objects beside it.
 *
 *     STATE/outbox.db      tables meta and object
 *     STATE/objects/HEX    a sealed object, by its id; HEX.tmp while it is being written
 *
 * One thread uses it.  Rows hold no file names (secure_delete is on, too).
 * A row says that its object is complete and durable; an object without a row
 * is the leaving of a crash, and is removed at the start.
 *
 * Service time is milliseconds that the spool process has run, kept in the
 * database: repeats and retention count it, so that no wrong clock can make
 * anything early, late or lost.  For tests, KATAMICHI_TEST_SERVICE_SPEED=N in
 * the environment makes it run N times as fast (a warning says so). */
#ifndef KM_OUTBOX_H
#define KM_OUTBOX_H

#include <stdbool.h>
#include <stdint.h>

#include "codec/seal.h"
#include "host/db.h"
#include "sender/layout.h"

enum { OUTBOX_PATH_MAX = 1100, OUTBOX_COUNTER_STEP = 1000 };

struct outbox {
	struct db db;
	char path[OUTBOX_PATH_MAX];
	int objects;              /* directory */
	uint8_t generation[SEAL_GENERATION_LEN];
	uint64_t speed;           /* of the service time: 1, but in tests */
	uint64_t service_ms;      /* at started_ns */
	uint64_t started_ns;
	int witness;              /* descriptor, or -1 (identity.h) */
	bool witness_failed;
	uint64_t witness_ms;      /* service time that it was told last */
	uint64_t counter, reserved; /* beats: last used, and up to where the database knows */
};

struct outbox_new { /* a row to be */
	uint8_t id[SEAL_ID_LEN];
	const char *claim;        /* id of the claim whose files it holds */
	const char *channel;
	uint64_t number;
	uint8_t manifest[HASH_LEN];
	uint64_t created_ms;
	uint32_t files;
	uint64_t bytes;           /* of the files */
	uint64_t length;          /* of the object */
	struct layout layout;
	uint64_t expires_ms;      /* service time */
};

struct outbox_object { /* a row to send */
	int64_t row;
	uint8_t id[SEAL_ID_LEN];
	char channel[NAME_CHANNEL_MAX + 1];
	uint64_t number, length;
	uint32_t rounds;
	bool asked;               /* due by a resend slip (resend.h) */
	struct layout layout;
	bool layout_ok;
};

/* Open or make; fatal on failure.  state: the directory, which exists.  now_ns: monotonic. */
void outbox_open(struct outbox *o, const char *state, uint64_t now_ns);
void outbox_close(struct outbox *o);
/* Remove objects that no kept row names.  After identity_check(), which sets aside what came after a backup. */
void outbox_sweep(struct outbox *o);
uint64_t outbox_service_ms(const struct outbox *o, uint64_t now_ns);
void outbox_tick(struct outbox *o, uint64_t now_ns); /* store the service time */

/* Begin the transaction of a new transfer: its number, and the hash of the manifest before it. */
void outbox_begin(struct outbox *o, const char *channel, uint64_t *number, uint8_t previous[static HASH_LEN]);
int64_t outbox_commit(struct outbox *o, const struct outbox_new *n); /* its row */
void outbox_rollback(struct outbox *o);
bool outbox_has_claim(struct outbox *o, const char *claim);

/* The next epoch of a lane, stored before it is returned (PROTOCOL.md, section 3.4). */
uint32_t outbox_epoch(struct outbox *o, unsigned lane, uint64_t wall_s);
uint64_t outbox_counter(struct outbox *o); /* of the next beat */

/* Rows to send, best first; skip(ctx, row) passes over those in flight.  false: none. */
enum outbox_order { OUTBOX_OLDEST, OUTBOX_SMALLEST, OUTBOX_DUE };
typedef bool outbox_skip(const void *ctx, int64_t row);
bool outbox_pick(struct outbox *o, enum outbox_order order, uint64_t service_ms, outbox_skip *skip, const void *ctx,
    struct outbox_object *out);
/* The oldest new one of this channel. */
bool outbox_pick_of(struct outbox *o, const char *channel, uint64_t service_ms, outbox_skip *skip, const void *ctx,
    struct outbox_object *out);
int outbox_object_fd(const struct outbox *o, const uint8_t id[static SEAL_ID_LEN]); /* read-only, or -1 with errno */
/* A round ended: count it, due again at due_ms. */
void outbox_round(struct outbox *o, int64_t row, uint32_t rounds, uint64_t due_ms);
void outbox_relayout(struct outbox *o, int64_t row, const struct layout *l);
/* The object is gone or unreadable: it will not be sent again. */
void outbox_lost(struct outbox *o, int64_t row);
/* Erase one object whose retention has passed; false: none.  Its row stays. */
bool outbox_expire(struct outbox *o, uint64_t service_ms, outbox_skip *skip, const void *ctx);
uint64_t outbox_kept(struct outbox *o, const char *channel); /* bytes of sealed objects */
/* For beats: 0 = none. */
struct outbox_stream { /* of an earlier generation, or of a channel that is no longer configured */
	uint8_t generation[SEAL_GENERATION_LEN];
	char channel[NAME_CHANNEL_MAX + 1];
	uint64_t newest, oldest;
};
/* What earlier generations numbered under this key of the sender, the latest first; at most max. */
unsigned outbox_earlier(struct outbox *o, struct outbox_stream *out, unsigned max);
/* The next channel by name ("" first) that has numbers of the present generation, in its place; false: no other has. */
bool outbox_next_channel(struct outbox *o, char name[static NAME_CHANNEL_MAX + 1]);
void outbox_bounds(struct outbox *o, const char *channel, uint64_t *newest, uint64_t *oldest);

#endif
