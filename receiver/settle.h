/* settle.h - missing numbers that nobody waits for any more.
 *
 * A number whose sealed object the sender has lost, or whose sender is no more, would be missing for ever.  An operator who knows
 * what became of its files says so (`katamichi settle`): a row of table settle_request, which the store process carries out within
 * a second or at its next start.  The numbers are then no gaps any more, the ledger has a row `settled` with name and reason
 * (PROTOCOL.md, section 9.2), and the answer stands in the request.  Nothing else changes: what comes after all is delivered. */
#ifndef KM_SETTLE_H
#define KM_SETTLE_H

#define SETTLE_SCHEMA \
	"CREATE TABLE IF NOT EXISTS settle_request(id INTEGER PRIMARY KEY, sender TEXT NOT NULL, channel TEXT NOT NULL," \
	" generation TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, operator TEXT NOT NULL, reason TEXT NOT NULL," \
	" login TEXT NOT NULL, at INTEGER NOT NULL, code INTEGER, answer TEXT);" /* code: 0 done */

struct store;
void settle_ask(struct store *s); /* carry out what was asked for */

#endif
