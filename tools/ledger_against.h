/* ledger_against.h - is the ledger still the one that was signed, and the one that was exported?
 *
 * A chain alone shows edits, and deletions in the middle.  Whoever changes a row and computes all hashes behind it anew,
 * cuts off the end, or puts an older copy in place is found by checkpoints (PROTOCOL.md, section 9.5): those in
 * the database's own table, as far as it was not replaced, and those kept elsewhere.  An export also shows which row. */
#ifndef KM_LEDGER_AGAINST_H
#define KM_LEDGER_AGAINST_H

#include <stdio.h>

#include "codec/checkpoint.h"
#include "receiver/ledger.h"

enum { LEDGER_KEYS_MAX = 16 };

struct ledger_finding {
	int64_t rows;      /* that hold */
	int64_t bad;       /* the first row that does not, or the first of those among which it is; 0: all is well */
	char why[400];     /* what is the matter with it, a sentence part */
	char hash[CHAIN_HEX_LEN + 1];
	int64_t checked;   /* checkpoints of the database's own */
	int64_t signed_rows; /* of the newest good one; 0: none */
};

/* The chain, and the checkpoints beside it if there are keys. */
void ledger_against_itself(struct db *db, const struct party *key, unsigned keys, struct ledger_finding *f);
/* These two go on where nothing was found: one checkpoint kept elsewhere, name for messages; an export. */
void ledger_against_checkpoint(struct db *db, const struct checkpoint *c, const char *name, const struct party *key, unsigned keys,
    struct ledger_finding *f);
void ledger_against_export(struct db *db, FILE *in, const char *name, struct ledger_finding *f);

#endif
