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

/* So many rows further than *v (-1: all that are left), up to the first that does not hold; all of them where they are told.
 * How many those were. */
static int64_t walk(struct db *db, struct ledger_verdict *v, int64_t most, ledger_row *row, void *arg)
{
	/* The first time without a bound: there is none that nothing comes before. */
	sqlite3_stmt *s = v->rows == 0 ? db_query(db, "SELECT seq, entry, hash FROM ledger ORDER BY seq LIMIT ?", "i", most) :
	    db_query(db, "SELECT seq, entry, hash FROM ledger WHERE seq > ? ORDER BY seq LIMIT ?", "ii", v->rows, most);
	int64_t n = 0, told = v->rows;
	int got;

	if (v->rows == 0)
		strcpy(v->hash, chain_first);
	for (; (got = db_try(db, s)) == 1; n++) {
		told = sqlite3_column_int64(s, 0);
		if (v->why == NULL)
			v->why = judge(v, s);
		if (row == NULL && v->why != NULL) {
			db_done(s);
			break;
		}
		if (row != NULL && sqlite3_column_text(s, 1) != NULL)
			row(arg, sqlite3_column_int64(s, 0), (const char *)sqlite3_column_text(s, 1), (size_t)sqlite3_column_bytes(s, 1));
	}
	if (got < 0) {
		v->unread = told + 1;
		if (v->why == NULL)
			v->why = "cannot be read: the disk does not give it, or this part of the database is damaged";
	}
	if (v->why != NULL)
		v->bad = v->rows + 1;
	return n;
}

/* The end of a chain proves nothing about what followed; our own index does, a little.  (The table is read for it from end to end,
 * once a walk: so a damaged page of it is found, too, which an index of seq would pass over.) */
static void judge_end(struct db *db, struct ledger_verdict *v)
{
	sqlite3_stmt *s = db_query(db, "SELECT max(seq) FROM delivery", "");
	int got = db_try(db, s);

	if (got < 0) {
		v->why = "is the last, and the list of deliveries beside the ledger cannot be read: the disk does not give it, or the database is damaged";
		v->bad = v->rows;
		return;
	}
	if (got == 1 && sqlite3_column_int64(s, 0) > v->rows)
		v->why = "is missing, with all that followed it";
	else if (v->rows == 0)
		v->why = "is missing: a ledger begins with an `opened` row";
	if (got == 1)
		db_done(s);
	if (v->why != NULL)
		v->bad = v->rows + 1;
}

void ledger_walk(struct db *db, struct ledger_verdict *v, ledger_row *row, void *arg)
{
	*v = (struct ledger_verdict){ 0 };
	(void)walk(db, v, -1, row, arg);
	if (v->why == NULL)
		judge_end(db, v);
}

void ledger_verify(struct db *db, struct ledger_verdict *v)
{
	ledger_walk(db, v, NULL, NULL);
}

bool ledger_walk_on(struct ledger *l, struct ledger_verdict *v, int64_t rows)
{
	int64_t n = walk(&l->db, v, rows, NULL, NULL);

	if (v->why == NULL && n == rows)
		return false;
	if (v->why == NULL)
		judge_end(&l->db, v);
	if (v->why == NULL && (v->rows != l->rows || strcmp(v->hash, l->hash) != 0)) {
		v->why = "or one before it is not what this receiver wrote: rows were changed and the chain computed anew";
		v->bad = l->rows;
	}
	return true;
}
