/* checkpoints.h - the store process's side of checkpoints (PROTOCOL.md, section 9.5): it asks the open process to sign
 * how far the ledger has come - at the start, every hour in which a row came, and when `katamichi ledger checkpoint`
 * asks for it through table checkpoint_request - and keeps them in table `checkpoint`. */
#ifndef KM_CHECKPOINTS_H
#define KM_CHECKPOINTS_H

#include <stdbool.h>

#include "receiver/ledger.h"
#include "receiver/witness.h"

#define CHECKPOINTS_SCHEMA \
	"CREATE TABLE IF NOT EXISTS checkpoint(rows INTEGER PRIMARY KEY, hash TEXT NOT NULL, at TEXT NOT NULL, receiver TEXT NOT NULL," \
	" signature TEXT NOT NULL);" \
	"CREATE TABLE IF NOT EXISTS checkpoint_request(id INTEGER PRIMARY KEY, at INTEGER NOT NULL, code INTEGER, answer TEXT);" /* code: 0 done */

struct checkpoints {
	struct ledger *ledger;
	bool waiting;      /* for open's answer */
	int64_t upto;      /* the last request when it was asked */
	int64_t rows;      /* of the last one */
	uint64_t due_ns;
	bool set_back;     /* open refused: the ledger is older than what was signed */
	uint64_t signed_before;
};

/* Is it time for one?  Then m is to be sent to open. */
bool checkpoints_due(struct checkpoints *c, struct msg_checkpoint *m, uint64_t now_ns);
void checkpoints_signed(struct checkpoints *c, const struct msg_checkpoint *m, uint64_t now_ns);
/* A row of the table as a checkpoint, the newest of at most so many rows; -1: there is none, or it is malformed. */
int checkpoints_get(struct db *db, struct checkpoint *c, int64_t rows) __attribute__((warn_unused_result));

#endif
