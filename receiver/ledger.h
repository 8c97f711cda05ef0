/* ledger.h - the receiver's record (PROTOCOL.md, section 9), and what follows
 * from it: which deliveries there are, which numbers are missing.
 *
 * Table `ledger` is the record, chained by hash and only ever appended to.
 * The other tables are an index over it and the memory of the store process;
 * they change in the same transaction as the row that changes them:
 *   delivery  one row for each `delivered` and `fork`
 *   fork      those of them whose number was there before, with other files
 *   aside     what came and was not delivered: quarantined (with a directory), or over
 *             a cap and not kept (without one); gone once its number is delivered
 *   incident  the newest of what status tells for some days: `clock`, `generation`, `set-back`
 *   object    sealed objects that need not be gathered again
 *   intent    what is being renamed into place (publish.h)
 *   stream    newest number heard of, by sender, channel and generation; oldest: from
 *             which on they are kept, 0 none, -1 while no beat has said so
 *   gap       ranges of numbers heard of, of which nothing has come, and since when
 *   trouble   objects that could not be opened: why, how often
 *   catalogue manifest and object of numbers that a closing named and that are missing (closings.h)
 *   closing   closings that came (closings.h)
 *   peer_request, revoked, retired_use   about keys (peers_ask.h)
 *   checkpoint, checkpoint_request   how far it had come, signed (checkpoints.h)
 *   settle_request   numbers that nobody waits for any more (settle.h)
 *   slip      resend slips that were printed (slips.h)
 *   quarantine, quarantine_request, quarantine_approval   what did not pass its checks (quarantine.h) */
#ifndef KM_LEDGER_H
#define KM_LEDGER_H

/* In table trouble, of an object that was never complete. */
#define LEDGER_GIVEN_UP N_("only a part of it came, and then nothing for 15 days: what was there is given up")

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "codec/chain.h"
#include "codec/crypto.h"
#include "core/name.h"
#include "host/db.h"
#include "host/i18n.h"

struct ledger {
	struct db db;
	int64_t rows;
	char hash[CHAIN_HEX_LEN + 1]; /* of the last row */
	uint64_t generations_log_ns;  /* when too many of them were last spoken of */
};

/* Creates it if need be (then with an `opened` row).  Fatal if it cannot be used. */
void ledger_open(struct ledger *l, const char *path);
void ledger_close(struct ledger *l);
/* Append an entry (canonical JSON).  Inside a transaction of the caller's. */
void ledger_append(struct ledger *l, const char *entry, size_t n);
/* The same of an object, which is taken over; NULL, or what is no text in it, is fatal: no memory. */
void ledger_append_json(struct ledger *l, json_t *entry);
/* The entry just appended is one that status tells of: the newest of its kind.  In the same transaction. */
void ledger_incident(struct ledger *l, const char *event, const char *at, const char *what);

/* A stream of numbers (PROTOCOL.md, section 2.6); all hexadecimal. */
struct ledger_stream {
	char sender[2 * HASH_LEN + 1];
	char channel[NAME_CHANNEL_MAX + 1];
	char generation[2 * 16 + 1];
};
/* A beat told of numbers up to newest, of which those from oldest on are still
 * kept (0: none).  Notes new gaps.  Opens its own transaction if something changes.
 * At most LEDGER_GENERATIONS generations of a sender's channel are taken from
 * beats alone: whoever invents new ones fills no table.  Deliveries always count. */
enum { LEDGER_GENERATIONS = 16 };
void ledger_seen(struct ledger *l, const struct ledger_stream *s, uint64_t newest, uint64_t oldest, uint64_t now_s);
/* Numbers up to newest exist, as a closing says: notes new gaps.  Inside a transaction. */
void ledger_known(struct ledger *l, const struct ledger_stream *s, uint64_t newest, uint64_t now_s);
/* A number got its row: no gap any more.  Inside a transaction. */
void ledger_have(struct ledger *l, const struct ledger_stream *s, uint64_t number, uint64_t now_s);

/* Missing numbers first..last, and those that were refused and not kept, are waited for no longer: how many there were, which then
 * is from *first to *last.  Inside a transaction. */
uint64_t ledger_settle(struct ledger *l, const struct ledger_stream *s, uint64_t *first, uint64_t *last);
/* Is it a number that was heard of and is neither delivered, nor missing, nor set aside?  Then somebody settled it.  db may be read-only. */
bool ledger_settled(struct db *db, const struct ledger_stream *s, uint64_t number);

/* This object came, but was not delivered: its number (0: not known) is no gap
 * any more, and not delivered either.  dir: below quarantine/, or empty: not
 * kept.  Again for the same object: what is told now holds.  False: its number was settled and it is not
 * kept, so nothing is noted.  Inside a transaction. */
struct ledger_aside {
	const char *object, *reason, *dir;
	uint64_t number;
};
bool ledger_aside(struct ledger *l, const struct ledger_stream *s, const struct ledger_aside *a, uint64_t now_s);
/* This object, or this number (if not 0), was delivered after all.  Inside a transaction. */
void ledger_not_aside(struct ledger *l, const struct ledger_stream *s, const char *object, uint64_t number);

/* Walk the chain.  Rows that hold, and *why == NULL; or *bad, the first row
 * that does not, and *why a sentence part.  db may be read-only.  What cannot be read is a finding, too: nothing else needs an
 * old page, and a receiver that ended by it would deliver no more. */
struct ledger_verdict {
	int64_t rows;
	int64_t bad;
	const char *why;
	int64_t unread; /* from this row on nothing could be read; 0: all were */
	char hash[CHAIN_HEX_LEN + 1]; /* of the last row that holds */
};
void ledger_verify(struct db *db, struct ledger_verdict *v);
/* The same, and every row that is there is told, also those behind a bad one, up to one that cannot be read: whoever counts
 * them asks v->unread, for what is left out makes a wrong sum.  entry is hostile until the verdict is known (and, to whoever can
 * write the database, afterwards): entry[n] is a NUL, there may be others. */
typedef void ledger_row(void *arg, int64_t seq, const char *entry, size_t n);
void ledger_walk(struct db *db, struct ledger_verdict *v, ledger_row *row, void *arg);
/* The chain of the ledger that is being written, so many rows further than *v (zeroed before the first call); the end is
 * compared with what was appended last.  False: there are more. */
bool ledger_walk_on(struct ledger *l, struct ledger_verdict *v, int64_t rows);

#endif
