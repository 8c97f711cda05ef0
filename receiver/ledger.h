/* ledger.h - the receiver's record (PROTOCOL.md, section 9), and what follows
 * from it: which deliveries there are, which numbers are missing.
 *
 * Table `ledger` is the record, chained by hash and only ever appended to.
 * The other tables are an index over it and the memory of the store process;
 * they change in the same transaction as the row that changes them:
 *   delivery  one row for each `delivered`, `fork` and `quarantined` with a manifest
 *   object    sealed objects that need not be gathered again
 *   intent    what is being renamed into place (publish.h)
 *   stream    newest number heard of, by sender, channel and generation
 *   gap       ranges of numbers heard of without a row, and since when
 *   trouble   objects that could not be opened: why, how often */
#ifndef KM_LEDGER_H
#define KM_LEDGER_H

#include <stdint.h>

#include "codec/chain.h"
#include "codec/crypto.h"
#include "core/name.h"
#include "host/db.h"

struct ledger {
	struct db db;
	int64_t rows;
	char hash[CHAIN_HEX_LEN + 1]; /* of the last row */
};

/* Creates it if need be (then with an `opened` row).  Fatal if it cannot be used. */
void ledger_open(struct ledger *l, const char *path);
void ledger_close(struct ledger *l);
/* Append an entry (canonical JSON).  Inside a transaction of the caller's. */
void ledger_append(struct ledger *l, const char *entry, size_t n);

/* A stream of numbers (PROTOCOL.md, section 2.6); all hexadecimal. */
struct ledger_stream {
	char sender[2 * HASH_LEN + 1];
	char channel[NAME_CHANNEL_MAX + 1];
	char generation[2 * 16 + 1];
};
/* A beat told of numbers up to newest, of which those from oldest on are still
 * kept (0: none).  Notes new gaps.  Opens its own transaction if something changes. */
void ledger_seen(struct ledger *l, const struct ledger_stream *s, uint64_t newest, uint64_t oldest, uint64_t now_s);
/* A number got its row: no gap any more.  Inside a transaction. */
void ledger_have(struct ledger *l, const struct ledger_stream *s, uint64_t number, uint64_t now_s);

/* Walk the chain.  Rows that hold, and *why == NULL; or *bad, the first row
 * that does not, and *why a sentence part.  db may be read-only. */
struct ledger_verdict {
	int64_t rows;
	int64_t bad;
	const char *why;
	char hash[CHAIN_HEX_LEN + 1]; /* of the last row that holds */
};
void ledger_verify(struct db *db, struct ledger_verdict *v);

#endif
