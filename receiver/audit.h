/* audit.h - the store process walks the chain of its ledger while it runs, at the start and then every day, some rows a
 * second: what was changed beside it is told without anybody asking.  (Signatures and copies kept elsewhere are
 * `katamichi ledger verify`'s affair.) */
#ifndef KM_AUDIT_H
#define KM_AUDIT_H

#include "receiver/ledger.h"

struct audit { /* zeroed before the first look */
	struct ledger_verdict at;  /* of the walk that is under way */
	uint64_t next_ns;
	int64_t bad;               /* the first row that does not hold, as the last walk found; 0: none */
	const char *why;           /* a sentence part, as in struct ledger_verdict */
};
void audit_look(struct audit *a, struct ledger *l, uint64_t now_ns); /* once a second */

#endif
