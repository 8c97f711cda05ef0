/* slips.h - resend slips that were printed (PROTOCOL.md, section 11).
 *
 * `katamichi gaps --slip` writes them into table `slip`, as it may while the
 * store process runs; only the store process appends to the ledger, so it
 * makes an entry of each (event `slip`) within a second, or at its next start. */
#ifndef KM_SLIPS_H
#define KM_SLIPS_H

#include "receiver/ledger.h"

#define SLIPS_SCHEMA \
	"CREATE TABLE IF NOT EXISTS slip(code TEXT PRIMARY KEY, at INTEGER NOT NULL, sender TEXT NOT NULL, channel TEXT NOT NULL," \
	" generation TEXT NOT NULL, numbers TEXT NOT NULL, seq INTEGER) WITHOUT ROWID;" /* seq: NULL until it has its entry */

/* Record a slip that is about to be printed; the same one again leaves no second row. */
void slips_printed(struct db *db, const struct ledger_stream *s, const char *code, const char *numbers, uint64_t now_s);
/* Give those that have none their entry in the ledger. */
void slips_note(struct ledger *l);

#endif
