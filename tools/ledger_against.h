/* ledger_against.h - is the ledger still the one that was signed, and the one that was exported?
 *
 * A chain alone shows edits, and deletions in the middle.  Whoever changes a row and computes all hashes behind it anew,
 * cuts off the end, or puts an older copy in place is found by checkpoints (PROTOCOL.md, section 9.5): those in
 * the database's own table, as far as it was not replaced, the last one, which the open process keeps in a file of its
 * own (receiver/witness.h), and those kept elsewhere.  An export also shows which row. */
#ifndef KM_LEDGER_AGAINST_H
#define KM_LEDGER_AGAINST_H

#include <stdio.h>

#include "codec/checkpoint.h"
#include "receiver/ledger.h"
#include "receiver/receiver_conf.h"

enum { LEDGER_KEYS_MAX = 16 };

struct ledger_keys { /* of the receiver: any of them may have signed */
	struct party key[LEDGER_KEYS_MAX];
	unsigned count;
};
/* One more; the receiver's own and its retired ones, as far as their public halves lie beside them.  An exit code. */
int ledger_keys_add(struct ledger_keys *k, const char *path) __attribute__((warn_unused_result));
int ledger_keys_own(struct ledger_keys *k, const struct receiver_conf *c) __attribute__((warn_unused_result));

struct ledger_finding {
	int64_t rows;      /* that hold */
	int64_t bad;       /* the first row that does not, or the first of those among which it is; 0: all is well */
	int64_t unread;    /* as in ledger_verdict */
	char why[400];     /* what is the matter with it, a sentence part */
	char hash[CHAIN_HEX_LEN + 1];
	int64_t checked;   /* checkpoints of the database's own */
	int64_t signed_rows; /* of the newest good one; 0: none */
};

/* How many rows there may be, to show how far the walk is; 0: that cannot be read. */
int64_t ledger_against_most(struct db *db);
/* The chain, the checkpoints beside it if there are keys, and what state/checkpoint says unless state is NULL.  All of one moment,
 * also while the receiver writes.  Every row is told, where row is not NULL (ledger_walk). */
void ledger_against_itself(struct db *db, const struct ledger_keys *k, const char *state, ledger_row *row, void *arg, struct ledger_finding *f);
/* These two go on where nothing was found: one checkpoint kept elsewhere, name for messages; an export. */
void ledger_against_checkpoint(struct db *db, const struct checkpoint *c, const char *name, const struct ledger_keys *k,
    struct ledger_finding *f);
void ledger_against_export(struct db *db, FILE *in, const char *name, struct ledger_finding *f);

#endif
