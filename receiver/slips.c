/* slips.c - resend slips that were printed (slips.h). */
#include "receiver/slips.h"

#include <jansson.h>

#include "host/clock.h"
#include "host/log.h"

void slips_printed(struct db *db, const struct ledger_stream *s, const char *code, const char *numbers, uint64_t now_s)
{
	db_run(db, "INSERT OR IGNORE INTO slip(code, at, sender, channel, generation, numbers) VALUES(?, ?, ?, ?, ?, ?)", "tittt" "t",
	    code, (int64_t)now_s, s->sender, s->channel, s->generation, numbers);
}

/* One row gets its entry; 0: there is none. */
static int note_one(struct ledger *l)
{
	sqlite3_stmt *q = db_query(&l->db, "SELECT code, at, sender, channel, generation, numbers FROM slip WHERE seq IS NULL LIMIT 1", "");
	char at[21], code[160];
	json_t *o;

	if (db_step(&l->db, q) == 0)
		return 0;
	clock_iso(at, (uint64_t)sqlite3_column_int64(q, 1));
	snprintf(code, sizeof(code), "%s", db_text(q, 0));
	o = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "at", at, "event", "slip", "code", code, "sender", db_text(q, 2),
	    "channel", db_text(q, 3), "generation", db_text(q, 4), "numbers", db_text(q, 5));
	db_done(q);
	db_exec(&l->db, "BEGIN IMMEDIATE");
	ledger_append_json(l, o);
	db_run(&l->db, "UPDATE slip SET seq = ? WHERE code = ?", "it", l->rows, code);
	db_exec(&l->db, "COMMIT");
	log_info("resend slip %s was printed", code);
	return 1;
}

void slips_note(struct ledger *l)
{
	while (note_one(l))
		;
}
