/* ledger_against.c - see ledger_against.h */
#include "tools/ledger_against.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "codec/hex.h"
#include "core/bytes.h"
#include "host/clock.h"
#include "host/exits.h"
#include "host/i18n.h"
#include "host/keyfile.h"
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

/* --- keys --- */
int ledger_keys_add(struct ledger_keys *k, const char *path)
{
	int code;

	if (k->count == LEDGER_KEYS_MAX) {
		log_error(_("more than %d keys"), LEDGER_KEYS_MAX);
		return EXIT_USAGE;
	}
	if ((code = keyfile_read_public(&k->key[k->count], path, PARTY_RECEIVER)) == 0)
		k->count++;
	return code;
}

/* The public half lies beside the secret one; nobody needs that to verify.  Of a retired key it may be named itself. */
static int add_own(struct ledger_keys *k, const char *file)
{
	static char path[RECEIVER_PATH_MAX + 8];
	size_t n = strlen(file);

	if (n < 4 || (strcmp(file + n - 4, ".key") != 0 && strcmp(file + n - 4, ".pub") != 0))
		return EXIT_OK;
	snprintf(path, sizeof(path), "%.*s.pub", (int)(n - 4), file);
	return access(path, R_OK) == 0 ? ledger_keys_add(k, path) : EXIT_OK;
}

int ledger_keys_own(struct ledger_keys *k, const struct receiver_conf *c)
{
	int code = add_own(k, c->keys);

	for (unsigned i = 0; code == EXIT_OK && i < c->retireds; i++)
		code = add_own(k, c->retired[i].key);
	return code;
}

static int good_signature(const struct checkpoint *c, const struct ledger_keys *k)
{
	for (unsigned i = 0; i < k->count; i++)
		if (checkpoint_verify(c, &k->key[i]) == 0)
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

static void against_table(struct db *db, const struct ledger_keys *k, struct ledger_finding *f)
{
	struct checkpoint c;
	sqlite3_stmt *s;
	int got;

	if (k->count == 0 || !has_table(db))
		return;
	s = db_query(db, "SELECT rows FROM checkpoint ORDER BY rows", "");
	while ((got = db_try(db, s)) == 1) {
		int64_t rows = sqlite3_column_int64(s, 0);
		if (checkpoints_get(db, &c, rows) != 0 || (int64_t)c.rows != rows || !good_signature(&c, k))
			found(f, rows, "has a checkpoint that this receiver did not sign (of another key? then give that, too: --receiver)");
		else
			compare(db, &c, "ledger.db", f);
		f->checked++;
		if (f->bad != 0) {
			db_done(s);
			return;
		}
	}
	if (got < 0)
		found(f, f->rows, "is the last, and the checkpoints beside the ledger cannot be read: the disk does not give them, or the database is"
		    " damaged");
}

/* What the open process keeps of the last checkpoint that it signed, with the file's time; -1: nothing.  It outlives a ledger that was
 * removed, emptied or set back, and needs no key: whoever can write it can write the ledger, too. */
static int last_signed(struct checkpoint *c, const char *state)
{
	uint8_t kept[8 + HASH_LEN];
	char path[RECEIVER_PATH_MAX + 32];
	struct stat st;
	ssize_t n = -1;
	int fd;

	snprintf(path, sizeof(path), "%s/checkpoint", state);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) < 0) {
		if (errno != ENOENT)
			log_warn("%s: %s", path, strerror(errno));
		return -1;
	}
	if (fstat(fd, &st) == 0)
		n = pread(fd, kept, sizeof(kept), 0);
	close(fd);
	if (n != (ssize_t)sizeof(kept)) /* it has signed none yet */
		return -1;
	memset(c, 0, sizeof(*c));
	c->rows = get64(kept);
	hex_put(c->hash, kept + 8, HASH_LEN);
	clock_iso(c->at, (uint64_t)st.st_mtim.tv_sec);
	return 0;
}

int64_t ledger_against_most(struct db *db)
{
	sqlite3_stmt *s = db_query(db, "SELECT max(seq) FROM ledger", "");
	int64_t most = 0;

	if (db_try(db, s) == 1) {
		most = sqlite3_column_int64(s, 0);
		db_done(s);
	}
	return most;
}

void ledger_against_itself(struct db *db, const struct ledger_keys *k, const char *state, ledger_row *row, void *arg, struct ledger_finding *f)
{
	struct ledger_verdict v;
	struct checkpoint last;
	/* Read before the rows: a receiver that runs may write and sign more of them meanwhile. */
	int some = state != NULL && last_signed(&last, state) == 0;
	int64_t total;

	memset(f, 0, sizeof(*f));
	db_exec(db, "SAVEPOINT against"); /* one moment for the rows and the table */
	total = ledger_against_most(db);
	ledger_walk(db, &v, row != NULL ? row : tick, row != NULL ? arg : &total);
	progress_clear();
	f->rows = v.rows;
	f->unread = v.unread;
	memcpy(f->hash, v.hash, sizeof(f->hash));
	if (v.why != NULL)
		found(f, v.bad, "%s", v.why);
	else
		against_table(db, k, f);
	if (f->bad == 0 && some) {
		int64_t by_key = f->signed_rows; /* only a signature counts as one */
		compare(db, &last, "checkpoint", f);
		f->signed_rows = by_key;
	}
	db_end_reading(db, "RELEASE against");
}

void ledger_against_checkpoint(struct db *db, const struct checkpoint *c, const char *name, const struct ledger_keys *k,
    struct ledger_finding *f)
{
	struct checkpoint own;

	if (f->bad != 0)
		return;
	if (!good_signature(c, k)) {
		found(f, (int64_t)c->rows, "is named by %s, which this receiver did not sign", name);
		return;
	}
	/* The newest of our own below it narrows down where the change is. */
	f->signed_rows = 0;
	if (has_table(db) && checkpoints_get(db, &own, (int64_t)c->rows - 1) == 0 && good_signature(&own, k))
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
