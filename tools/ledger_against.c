/* ledger_against.c - see ledger_against.h */
#include "tools/ledger_against.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "host/exits.h"
#include "host/i18n.h"
#include "host/log.h"
#include "receiver/checkpoints.h"
#include "tools/progress.h"

enum { EXPORT_LINE_MAX = 4 << 20 /* bytes: no entry is so long, and a device has no lines at all */ };

static void found(struct ledger_finding *f, int64_t row, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static void found(struct ledger_finding *f, int64_t row, const char *fmt, ...)
{
	va_list ap;

	f->bad = row;
	va_start(ap, fmt);
	vsnprintf(f->why, sizeof(f->why), fmt, ap);
	va_end(ap);
}

static int good_signature(const struct checkpoint *c, const struct party *key, unsigned keys)
{
	for (unsigned i = 0; i < keys; i++)
		if (checkpoint_verify(c, &key[i]) == 0)
			return 1;
	return 0;
}

/* The hash of row n, in the database; "" if there is none. */
static const char *hash_of(struct db *db, int64_t n, char out[static CHAIN_HEX_LEN + 1])
{
	sqlite3_stmt *s = db_query(db, "SELECT hash FROM ledger WHERE seq = ?", "i", n);

	out[0] = '\0';
	if (db_step(db, s) == 1) {
		snprintf(out, CHAIN_HEX_LEN + 1, "%s", (const char *)sqlite3_column_text(s, 0));
		db_done(s);
	}
	return out;
}

static void compare(struct db *db, const struct checkpoint *c, const char *name, struct ledger_finding *f)
{
	char hash[CHAIN_HEX_LEN + 1];
	int64_t n = (int64_t)c->rows;

	if (n > f->rows)
		found(f, f->rows + 1, "is missing, with all up to row %lld: so many were signed at %s (%s); the end was cut off, or an older"
		    " ledger put in place", (long long)n, c->at, name);
	else if (strcmp(hash_of(db, n, hash), c->hash) != 0)
		found(f, f->signed_rows + 1, "or one after it, up to row %lld, is not what was signed at %s (%s): rows were changed and the chain"
		    " computed anew", (long long)n, c->at, name);
	else if (n > f->signed_rows)
		f->signed_rows = n;
}

static void tick(void *total, int64_t seq, const char *entry, size_t n)
{
	(void)entry;
	(void)n;
	progress_show((uint64_t)seq, (uint64_t)*(int64_t *)total, "%s", _("the chain"));
}

static int has_table(struct db *db)
{
	return db_int(db, "SELECT count(*) FROM sqlite_master WHERE name = 'checkpoint'", "") != 0;
}

void ledger_against_itself(struct db *db, const struct party *key, unsigned keys, struct ledger_finding *f)
{
	struct ledger_verdict v;
	struct checkpoint c;
	sqlite3_stmt *s;
	int64_t total;

	memset(f, 0, sizeof(*f));
	total = db_int(db, "SELECT max(seq) FROM ledger", "");
	ledger_walk(db, &v, tick, &total);
	progress_clear();
	f->rows = v.rows;
	memcpy(f->hash, v.hash, sizeof(f->hash));
	if (v.why != NULL) {
		found(f, v.bad, "%s", v.why);
		return;
	}
	if (keys == 0 || !has_table(db))
		return;
	s = db_query(db, "SELECT rows FROM checkpoint ORDER BY rows", "");
	while (db_step(db, s) == 1) {
		int64_t rows = sqlite3_column_int64(s, 0);
		if (checkpoints_get(db, &c, rows) != 0 || (int64_t)c.rows != rows || !good_signature(&c, key, keys))
			found(f, rows, "has a checkpoint that this receiver did not sign (of another key? then give that, too: --receiver)");
		else
			compare(db, &c, "ledger.db", f);
		f->checked++;
		if (f->bad != 0) {
			db_done(s);
			return;
		}
	}
}

void ledger_against_checkpoint(struct db *db, const struct checkpoint *c, const char *name, const struct party *key, unsigned keys,
    struct ledger_finding *f)
{
	struct checkpoint own;

	if (f->bad != 0)
		return;
	if (!good_signature(c, key, keys)) {
		found(f, (int64_t)c->rows, "is named by %s, which this receiver did not sign", name);
		return;
	}
	/* The newest of our own below it narrows down where the change is. */
	f->signed_rows = 0;
	if (has_table(db) && checkpoints_get(db, &own, (int64_t)c->rows - 1) == 0 && good_signature(&own, key, keys))
		f->signed_rows = (int64_t)own.rows;
	compare(db, c, name, f);
}

/* "SEQ \t HASH \t ENTRY": -1 if it is not that. */
static int split(char *line, int64_t *seq, char **hash, char **entry)
{
	char *end;

	*seq = strtoll(line, &end, 10);
	if (end == line || *end != '\t' || *seq <= 0)
		return -1;
	*hash = end + 1;
	if ((end = strchr(*hash, '\t')) == NULL || end - *hash != CHAIN_HEX_LEN)
		return -1;
	*end = '\0';
	*entry = end + 1;
	end = strchr(*entry, '\n');
	if (end == NULL)
		return -1;
	*end = '\0';
	return 0;
}

static void compare_row(struct db *db, int64_t seq, const char *hash, const char *entry, const char *name, struct ledger_finding *f)
{
	sqlite3_stmt *s = db_query(db, "SELECT hash = ? AND entry = ? FROM ledger WHERE seq = ?", "tti", hash, entry, seq);

	if (db_step(db, s) == 0) {
		found(f, seq, "is missing; it stands in %s", name);
		return;
	}
	if (sqlite3_column_int(s, 0) == 0)
		found(f, seq, "is not what stands in %s", name);
	db_done(s);
}

void ledger_against_export(struct db *db, FILE *in, const char *name, struct ledger_finding *f)
{
	char *line = malloc(EXPORT_LINE_MAX), *hash, *entry;
	int64_t seq, n = 0;

	if (line == NULL)
		log_die(EXIT_SYSTEM, "there is not enough memory");
	while (f->bad == 0 && fgets(line, EXPORT_LINE_MAX, in) != NULL) {
		n++;
		if (split(line, &seq, &hash, &entry) != 0) {
			found(f, n, "cannot be compared: line %lld of %s is not of an export", (long long)n, name);
			break;
		}
		compare_row(db, seq, hash, entry, name, f);
		progress_show((uint64_t)seq, (uint64_t)f->rows, "%s", name);
	}
	progress_clear();
	if (f->bad == 0 && n == 0)
		found(f, 1, "cannot be compared: %s is empty", name);
	free(line);
}
