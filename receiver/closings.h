/* closings.h - what the sender says it has numbered, compared with what is here (PROTOCOL.md, section 12).
 *
 * A closing is delivered like any transfer, in inbox/katamichi/NUMBER/.  The store process then looks for deliveries of
 * that channel that it has not compared yet, so a crash between the two loses nothing.  Each is read again from the
 * inbox and believed only if it is what the ledger says was delivered: MANIFEST.json has the hash of the delivery's
 * row, and the file the hash that the manifest says.  Then, in one transaction:
 *   - numbers nobody had heard of become gaps;
 *   - a missing number gets its row in table catalogue, so that its object is known by its number;
 *   - one that is here with another manifest is counted as differing, an alarm;
 *   - what the sender does not keep any more though it keeps older ones is in table gone, as of the newest closing;
 *   - the ledger gets an entry `closing`, and the text is kept in table closing. */
#ifndef KM_CLOSINGS_H
#define KM_CLOSINGS_H

#include "codec/closing.h"
#include "receiver/ledger.h"
#include "receiver/receiver_conf.h"

#define CLOSINGS_SCHEMA \
	"CREATE TABLE IF NOT EXISTS closing(seq INTEGER PRIMARY KEY," /* of the delivery's row in the ledger */ \
	" sender TEXT NOT NULL, number INTEGER NOT NULL, kind TEXT NOT NULL, at TEXT NOT NULL, text TEXT);" /* NULL: unreadable */ \
	"CREATE TABLE IF NOT EXISTS gone(sender TEXT NOT NULL, channel TEXT NOT NULL, generation TEXT NOT NULL," \
	" first INTEGER NOT NULL, last INTEGER NOT NULL, PRIMARY KEY(sender, channel, generation, first)) WITHOUT ROWID;"

struct closings {
	struct ledger *ledger;
	const struct receiver_conf *conf;
	int inbox;               /* directory */
	const uint8_t (*self)[HASH_LEN]; /* this receiver's fingerprint, and those of its retired keys */
	unsigned selfs;
	int64_t rows;            /* of the ledger when this last ran */
};

/* Compare what has not been compared, for a moment: a heap of them takes several calls. */
void closings_run(struct closings *c);

/* What becomes of one number of a closing.  Settled (settle.h): not here, and of the numbers heard of no gap either. */
enum closings_state { CLOSINGS_HERE, CLOSINGS_MISSING, CLOSINGS_ASIDE, CLOSINGS_DIFFERS, CLOSINGS_SETTLED };
enum closings_state closings_look(struct db *db, const struct ledger_stream *s, const struct closing_entry *e);

#endif
