/* jumps.c - jumps of the receiver's clock (store.h). */
#include <stdio.h>
#include <string.h>

#include "host/clock.h"
#include "host/log.h"
#include "receiver/store.h"

/* A jump of the clock is in the ledger, since the times of the entries around it are not to be compared. */
static void note(struct store *s, int64_t jump_ms)
{
	char entry[96], at[21], what[24];
	int n;

	clock_iso(at, clock_wall_ms() / 1000);
	snprintf(what, sizeof(what), "%+lld", (long long)(jump_ms / 1000));
	n = snprintf(entry, sizeof(entry), "{\"at\":\"%s\",\"event\":\"clock\",\"jump\":\"%s\"}", at, what);
	db_exec(&s->ledger.db, "BEGIN IMMEDIATE");
	ledger_append(&s->ledger, entry, (size_t)n);
	ledger_incident(&s->ledger, "clock", at, what);
	db_exec(&s->ledger.db, "COMMIT");
	log_about(.event = LOG_EVENT_CLOCK);
	log_warn("ALARM: the clock of this machine jumped by %lld s; what is received does not depend on it, but the times in the "
	    "ledger do", (long long)(jump_ms / 1000));
}

void jumps_look(struct store *s, uint64_t now_ns)
{
	int64_t jump = clock_watch_look(&s->clock, clock_wall_ms(), now_ns);

	if (jump != 0)
		note(s, jump);
}

/* Time went back while nobody looked: the last entry is from the future.  One that is damaged, which the audit finds, says nothing. */
void jumps_since_last(struct store *s)
{
	int64_t last_s = db_int(&s->ledger.db, "SELECT CAST(strftime('%s', json_extract(entry, '$.at')) AS INTEGER) FROM ledger"
	    " WHERE json_valid(entry) ORDER BY seq DESC LIMIT 1", ""), now_s = (int64_t)(clock_wall_ms() / 1000);

	if (last_s > now_s + CLOCK_JUMP_MS / 1000)
		note(s, (now_s - last_s) * 1000);
}
