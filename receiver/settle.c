/* settle.c - see settle.h */
#include "receiver/settle.h"

#include <jansson.h>

#include "host/clock.h"
#include "host/log.h"
#include "receiver/quarantine.h"
#include "receiver/store.h"

struct request {
	int64_t id;
	struct ledger_stream stream;
	uint64_t first, last;
	char operator[QUARANTINE_OPERATOR_MAX + 1], reason[QUARANTINE_REASON_MAX + 1], login[QUARANTINE_LOGIN_MAX + 1];
};

static bool next_request(struct db *db, struct request *r)
{
	sqlite3_stmt *q = db_query(db, "SELECT id, sender, channel, generation, first, last, operator, reason, login FROM settle_request"
	    " WHERE code IS NULL ORDER BY id LIMIT 1", "");

	if (db_step(db, q) == 0)
		return false;
	r->id = sqlite3_column_int64(q, 0);
	db_text_to(r->stream.sender, sizeof(r->stream.sender), q, 1);
	db_text_to(r->stream.channel, sizeof(r->stream.channel), q, 2);
	db_text_to(r->stream.generation, sizeof(r->stream.generation), q, 3);
	r->first = (uint64_t)sqlite3_column_int64(q, 4);
	r->last = (uint64_t)sqlite3_column_int64(q, 5);
	db_text_to(r->operator, sizeof(r->operator), q, 6);
	db_text_to(r->reason, sizeof(r->reason), q, 7);
	quarantine_login(r->login, q, 8);
	db_done(q);
	return true;
}

static void answer(struct db *db, const struct request *r, int code, const char *text)
{
	db_run(db, "UPDATE settle_request SET code = ?, answer = ? WHERE id = ?", "iti", (int64_t)code, text, r->id);
}

/* In a transaction. */
static void append(struct ledger *l, const struct request *r, uint64_t numbers)
{
	char at[21];
	json_t *o;

	clock_iso(at, clock_wall_ms() / 1000);
	o = json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:s, s:I, s:s, s:s, s:s}", "at", at, "channel", r->stream.channel, "event", "settled",
	    "generation", r->stream.generation, "first", (json_int_t)r->first, "last", (json_int_t)r->last, "login", r->login, "numbers",
	    (json_int_t)numbers, "operator", r->operator, "reason", r->reason, "sender", r->stream.sender);
	ledger_append_json(l, o);
}

static void settle(struct ledger *l, struct request *r)
{
	uint64_t numbers;

	db_exec(&l->db, "BEGIN IMMEDIATE");
	numbers = ledger_settle(l, &r->stream, &r->first, &r->last);
	if (numbers > 0) {
		append(l, r, numbers);
		answer(&l->db, r, 0, "settled");
	} else {
		answer(&l->db, r, 1, "none of these numbers is missing");
	}
	db_exec(&l->db, "COMMIT");
	if (numbers > 0)
		log_warn("%s: missing numbers between %llu and %llu were settled by %s: %s", r->stream.channel, (unsigned long long)r->first,
		    (unsigned long long)r->last, r->operator, r->reason);
}

void settle_ask(struct store *s)
{
	struct request r;

	while (next_request(&s->ledger.db, &r))
		if (quarantine_text_ok(r.operator, QUARANTINE_OPERATOR_MAX) && quarantine_text_ok(r.reason, QUARANTINE_REASON_MAX))
			settle(&s->ledger, &r);
		else
			answer(&s->ledger.db, &r, 1, "the operator's name and a reason are needed");
}
