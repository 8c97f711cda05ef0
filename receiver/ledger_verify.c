/* ledger_verify.c - is the record what it was?  (ledger.h) */
#include <string.h>

#include "receiver/ledger.h"

static const char *judge(struct ledger_verdict *v, sqlite3_stmt *s)
{
	const char *entry = (const char *)sqlite3_column_text(s, 1), *hash = (const char *)sqlite3_column_text(s, 2);
	char want[CHAIN_HEX_LEN + 1];

	if (sqlite3_column_int64(s, 0) != v->rows + 1)
		return "is missing";
	if (entry == NULL || hash == NULL || sqlite3_column_bytes(s, 2) != CHAIN_HEX_LEN)
		return "has no entry or no hash";
	chain_next(want, v->hash, entry, (size_t)sqlite3_column_bytes(s, 1));
	if (strcmp(want, hash) != 0)
		return "does not match its hash: it, or the hash of the row before, was changed";
	memcpy(v->hash, want, sizeof(want));
	v->rows++;
	return NULL;
}

/* The end of a chain proves nothing about what followed; our own index does, a little. */
#define LAST_KNOWN "SELECT max(seq) FROM delivery"

static void judge_end(struct ledger_verdict *v, int64_t last_known)
{
	if (last_known > v->rows)
		v->why = "is missing, with all that followed it";
	else if (v->rows == 0)
		v->why = "is missing: a ledger begins with an `opened` row";
	if (v->why != NULL)
		v->bad = v->rows + 1;
}

void ledger_walk(struct db *db, struct ledger_verdict *v, ledger_row *row, void *arg)
{
	sqlite3_stmt *s = db_query(db, "SELECT seq, entry, hash FROM ledger ORDER BY seq", "");

	*v = (struct ledger_verdict){ 0 };
	strcpy(v->hash, chain_first);
	while (db_step(db, s) == 1) {
		if (v->why == NULL && (v->why = judge(v, s)) != NULL) {
			v->bad = v->rows + 1;
			if (row == NULL) {
				db_done(s);
				return;
			}
		}
		if (row != NULL && sqlite3_column_text(s, 1) != NULL)
			row(arg, sqlite3_column_int64(s, 0), (const char *)sqlite3_column_text(s, 1), (size_t)sqlite3_column_bytes(s, 1));
	}
	if (v->why == NULL)
		judge_end(v, db_int(db, LAST_KNOWN, ""));
}

void ledger_verify(struct db *db, struct ledger_verdict *v)
{
	ledger_walk(db, v, NULL, NULL);
}

static void compare_end(struct ledger *l, struct ledger_verdict *v)
{
	sqlite3_stmt *s = db_query(&l->db, LAST_KNOWN, "");
	int got = db_try(&l->db, s);

	if (got < 0) {
		v->why = "is the last, and the list of deliveries beside the ledger cannot be read: the disk does not give it, or the database is damaged";
		v->bad = v->rows;
		return;
	}
	judge_end(v, got == 1 ? sqlite3_column_int64(s, 0) : 0);
	if (got == 1)
		db_done(s);
	if (v->why == NULL && (v->rows != l->rows || strcmp(v->hash, l->hash) != 0)) {
		v->why = "or one before it is not what this receiver wrote: rows were changed and the chain computed anew";
		v->bad = l->rows;
	}
}

bool ledger_walk_on(struct ledger *l, struct ledger_verdict *v, int64_t rows)
{
	sqlite3_stmt *s = db_query(&l->db, "SELECT seq, entry, hash FROM ledger WHERE seq > ? ORDER BY seq LIMIT ?", "ii",
	    v->rows > 0 ? v->rows : INT64_MIN, rows);
	int64_t n = 0;
	int got = 1;

	if (v->rows == 0)
		strcpy(v->hash, chain_first);
	for (; v->why == NULL && (got = db_try(&l->db, s)) == 1; n++)
		v->why = judge(v, s);
	if (v->why != NULL)
		db_done(s);
	else if (got < 0)
		v->why = "cannot be read: the disk does not give it, or this part of the database is damaged";
	if (v->why != NULL)
		v->bad = v->rows + 1;
	else if (n == rows)
		return false;
	else
		compare_end(l, v);
	return true;
}
