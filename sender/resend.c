/* resend.c - see resend.h. */
#include "sender/resend.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sender/outbox_schema.h"

#define STREAM "generation = ? AND channel = ?"

static void count_range(struct resend *r, struct db *db, const struct slip_range *g)
{
	sqlite3_stmt *s = db_query(db, "SELECT COUNT(*), COALESCE(SUM(state = 0), 0), COALESCE(SUM(CASE WHEN state = 0 THEN files END), 0), "
	    "COALESCE(SUM(CASE WHEN state = 0 THEN length END), 0) FROM object WHERE " STREAM " AND number BETWEEN ? AND ?", "btii",
	    r->generation, sizeof(r->generation), r->channel, (int64_t)g->first, (int64_t)g->last);
	uint64_t numbered = 0;

	if (db_step(db, s) == 1) {
		numbered = (uint64_t)sqlite3_column_int64(s, 0);
		r->objects += (uint64_t)sqlite3_column_int64(s, 1);
		r->gone += numbered - (uint64_t)sqlite3_column_int64(s, 1);
		r->files += (uint64_t)sqlite3_column_int64(s, 2);
		r->bytes += (uint64_t)sqlite3_column_int64(s, 3);
		db_done(s);
	}
	/* Rows of long ago may be gone altogether: they had a number below the newest. */
	uint64_t known = g->first > r->newest ? 0 : (g->last < r->newest ? g->last : r->newest) - g->first + 1;
	r->gone += known - numbered;
	r->unknown += g->last - g->first + 1 - known;
}

static void count(struct resend *r, struct db *db)
{
	r->objects = r->files = r->bytes = r->gone = r->unknown = 0;
	r->newest = (uint64_t)db_int(db, "SELECT MAX(number) FROM object WHERE " STREAM, "bt", r->generation,
	    sizeof(r->generation), r->channel);
	for (unsigned i = 0; i < r->slip.ranges; i++)
		count_range(r, db, &r->slip.range[i]);
}

int resend_find(struct resend *r, struct db *db, const uint8_t sender[static HASH_LEN], const uint8_t receiver[static HASH_LEN])
{
	sqlite3_stmt *s = db_query(db, "SELECT DISTINCT generation, channel FROM object", "");

	while (db_step(db, s) == 1) {
		const void *generation = sqlite3_column_blob(s, 0);
		const char *channel = (const char *)sqlite3_column_text(s, 1);
		if (generation == NULL || channel == NULL || sqlite3_column_bytes(s, 0) != (int)sizeof(r->generation) ||
		    slip_ref(sender, receiver, generation, channel) != r->slip.ref)
			continue;
		memcpy(r->generation, generation, sizeof(r->generation));
		snprintf(r->channel, sizeof(r->channel), "%s", channel);
		db_done(s);
		count(r, db);
		return 0;
	}
	return -1;
}

void resend_do(struct resend *r, struct db *db, const char *code, uint64_t wall_ms)
{
	char numbers[SLIP_NUMBERS_MAX];

	db_exec(db, "BEGIN IMMEDIATE");
	count(r, db);
	for (unsigned i = 0; i < r->slip.ranges; i++)
		db_run(db, "UPDATE object SET due = 0 WHERE " STREAM " AND number BETWEEN ? AND ? AND state = 0", "btii",
		    r->generation, sizeof(r->generation), r->channel, (int64_t)r->slip.range[i].first, (int64_t)r->slip.range[i].last);
	db_run(db, "INSERT INTO slip(at, code, channel, generation, numbers, objects, bytes, gone) VALUES(?, ?, ?, ?, ?, ?, ?, ?)",
	    "ittbtiii", (int64_t)wall_ms, code, r->channel, r->generation, sizeof(r->generation),
	    slip_numbers(numbers, &r->slip), (int64_t)r->objects, (int64_t)r->bytes, (int64_t)(r->gone + r->unknown));
	db_exec(db, "COMMIT");
}
