/* receipts.c - see receipts.h. */
#include "sender/receipts.h"

#include <stdio.h>
#include <string.h>

#include "codec/closing.h"
#include "host/log.h"

struct old {
	int64_t row;
	uint8_t generation[SEAL_GENERATION_LEN];
	char channel[NAME_CHANNEL_MAX + 1];
	int64_t number;
};

static unsigned find(struct outbox *o, struct old old[static RECEIPTS_AT_ONCE], uint64_t service_ms, uint64_t keep_ms)
{
	sqlite3_stmt *s = db_query(&o->db, "SELECT row, generation, channel, number FROM object WHERE state <> 0 AND expires <= ? "
	    "AND number < (SELECT max(number) FROM object n WHERE n.generation = object.generation AND n.channel = object.channel) "
	    "AND (generation <> ? OR channel = ? OR number <= (SELECT number FROM closed c WHERE c.generation = object.generation "
	    "AND c.channel = object.channel)) ORDER BY expires, row LIMIT ?", "ibti", (int64_t)(service_ms - keep_ms), o->generation,
	    sizeof(o->generation), CLOSING_CHANNEL, (int64_t)RECEIPTS_AT_ONCE);
	unsigned n = 0;

	while (db_step(&o->db, s) == 1) {
		struct old *r = &old[n];
		const char *channel = (const char *)sqlite3_column_text(s, 2);
		if (sqlite3_column_bytes(s, 1) != SEAL_GENERATION_LEN || channel == NULL)
			continue;
		r->row = sqlite3_column_int64(s, 0);
		memcpy(r->generation, sqlite3_column_blob(s, 1), SEAL_GENERATION_LEN);
		snprintf(r->channel, sizeof(r->channel), "%s", channel);
		r->number = sqlite3_column_int64(s, 3);
		n++;
	}
	return n;
}

static void forget(struct outbox *o, const struct old *r, uint64_t wall_ms)
{
	db_run(&o->db, "DELETE FROM object WHERE row = ?", "i", r->row);
	db_run(&o->db, "UPDATE erased SET last = ?, at = ? WHERE generation = ? AND channel = ? AND last = ?", "iibti", r->number,
	    (int64_t)wall_ms, r->generation, sizeof(r->generation), r->channel, r->number - 1);
	if (sqlite3_changes(o->db.h) == 0)
		db_run(&o->db, "INSERT INTO erased(generation, channel, first, last, at) VALUES(?, ?, ?, ?, ?)", "btiii", r->generation,
		    sizeof(r->generation), r->channel, r->number, r->number, (int64_t)wall_ms);
}

unsigned receipts_run(struct outbox *o, uint64_t service_ms, uint64_t keep_ms, uint64_t wall_ms)
{
	struct old old[RECEIPTS_AT_ONCE];
	unsigned n = service_ms < keep_ms ? 0 : find(o, old, service_ms, keep_ms);

	if (n == 0)
		return 0;
	db_exec(&o->db, "BEGIN IMMEDIATE");
	for (unsigned i = 0; i < n; i++)
		forget(o, &old[i], wall_ms);
	db_exec(&o->db, "COMMIT");
	log_info("%u rows of transfers whose object went long ago are deleted; table erased has their numbers", n);
	return n;
}
