/* audit.c - see audit.h */
#include "receiver/audit.h"

#include "host/clock.h"
#include "host/log.h"
#include "host/reason.h"

enum { AUDIT_ROWS = 2000 }; /* at a look: some milliseconds */
#define AUDIT_EVERY_NS (24 * 3600 * 1000000000ull)

void audit_look(struct audit *a, struct ledger *l, uint64_t now_ns)
{
	if (now_ns < a->next_ns || !ledger_walk_on(l, &a->at, AUDIT_ROWS))
		return;
	if (a->at.why != NULL && a->at.bad != a->bad)
		log_error("ALARM: row %lld of the ledger %s; keep it as it is, and see `katamichi ledger verify`", (long long)a->at.bad,
		    reason_show(a->at.why));
	a->bad = a->at.bad;
	a->why = a->at.why;
	a->at = (struct ledger_verdict){ .rows = 0 };
	a->next_ns = now_ns + AUDIT_EVERY_NS / clock_test_speed();
}
