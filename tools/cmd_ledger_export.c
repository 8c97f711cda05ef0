/* cmd_ledger_export.c - katamichi ledger export|checkpoint: what of the record is to be kept elsewhere. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "codec/hex.h"
#include "host/clock.h"
#include "host/exits.h"
#include "host/log.h"
#include "host/reason.h"
#include "receiver/checkpoints.h"
#include "tools/asking.h"
#include "tools/cmd.h"
#include "tools/out.h"
#include "tools/status.h"

static struct receiver_conf conf;

/* --- export --- */
/* entry: in JSON, too, the text that was hashed. */
static void print_row(int64_t seq, const char *hash, const char *entry)
{
	if (out_mode() == OUT_JSON)
		out_json_free(out_made(json_pack("{s:I, s:s, s:s}", "row", (json_int_t)seq, "hash", hash, "entry", entry)));
	else
		printf("%" PRId64 "\t%s\t%s\n", seq, hash, entry);
}

static int run_export(const struct cmd_line *l)
{
	static char path[RECEIVER_PATH_MAX + 32];
	const char *text = cmd_value(l, "from");
	int64_t from = 1;
	sqlite3_stmt *s;
	struct db db;
	int code, got;

	if (cmd_number(text, INT64_MAX, &from) != 0)
		return cmd_usage(l->cmd, _("--from takes a number"));
	if ((code = receiver_conf_read(&conf, cmd_value(l, "config"), -1)) != 0)
		return code;
	snprintf(path, sizeof(path), "%s/ledger/ledger.db", conf.state);
	if (db_open_readonly(&db, path) != 0)
		return EXIT_SYSTEM;
	s = db_query(&db, "SELECT seq, hash, entry FROM ledger WHERE seq >= ? ORDER BY seq", "i", from);
	while ((got = db_try(&db, s)) == 1) {
		int64_t row = sqlite3_column_int64(s, 0);
		print_row(row, db_text(s, 1), db_text(s, 2));
		from = row < INT64_MAX ? row + 1 : row;
	}
	db_close(&db);
	if (fflush(stdout) != 0) {
		log_error(_("the export cannot be written: %m"));
		return EXIT_SYSTEM;
	}
	if (got == 0)
		return EXIT_OK;
	log_error(_("%s: row %lld cannot be read: the disk does not give it, or this part of the database is damaged; the rows before it are"
	    " written, and --from may find more behind it"), path, (long long)from);
	return EXIT_DATA;
}

const struct cmd cmd_ledger_export = {
	.name = "ledger export",
	.text = N_("write the receiver's record, to be kept elsewhere"),
	.usage = N_("-c receiver.conf [--from N] [--json]"),
	.help = N_("One line for each row: number, hash, entry (JSON), separated by tabs.  The hash is the SHA-256 of the\n"
	    "hash before, a line feed, the entry, a line feed.  `katamichi ledger verify --export FILE' compares.\n"),
	.exits = N_("0 written, 2 usage, 3 configuration, 5 the ledger cannot be read, or this not be written,\n"
	    "6 its database is damaged (the rows before that are written)"),
	.options = { CMD_CONFIG, { "from", 0, CMD_TEXT, N_("N"), N_("from this row on (1)"), 0 }, CMD_JSON },
	.end = CONF_KIND_RECEIVER,
	.run = run_export,
};

/* --- checkpoint --- */
static void print_checkpoint(const struct checkpoint *c)
{
	char receiver[2 * HASH_LEN + 1], signature[2 * SIGN_LEN + 1];

	hex_put(receiver, c->receiver, HASH_LEN);
	hex_put(signature, c->signature, SIGN_LEN);
	out_json_free(json_pack("{s:s, s:I, s:s, s:s, s:s}", "at", c->at, "rows", (json_int_t)c->rows, "hash", c->hash, "receiver", receiver,
	    "signature", signature));
}

static int print_newest(struct db *db)
{
	char text[CHECKPOINT_TEXT_MAX];
	struct checkpoint c;

	if (checkpoints_get(db, &c, INT64_MAX) != 0) {
		log_error(_("there is no checkpoint yet"));
		return EXIT_NO;
	}
	if (out_mode() == OUT_JSON) {
		print_checkpoint(&c);
		return EXIT_OK;
	}
	(void)checkpoint_write(text, &c);
	fputs(text, stdout);
	return EXIT_OK;
}

/* 1: it was signed; 0: not, after a line that says why. */
static int ask(struct db *db)
{
	sqlite3_stmt *s;
	int64_t id;
	int done = 0;

	db_run(db, "INSERT INTO checkpoint_request(at) VALUES(?)", "i", (int64_t)clock_wall_ms());
	id = db_int(db, "SELECT last_insert_rowid()", "");
	asking_wait(db, &conf, "SELECT code IS NOT NULL FROM checkpoint_request WHERE id = ?", id);
	s = db_query(db, "SELECT code, answer FROM checkpoint_request WHERE id = ?", "i", id);
	if (db_step(db, s) == 1) {
		if (sqlite3_column_type(s, 0) == SQLITE_NULL)
			log_warn(asking_receiver_runs(&conf) ? _("asked for; the receiver has not signed it yet; this is the one before") :
			    _("the receiver does not run: this is the last one it signed"));
		else if (!(done = sqlite3_column_int(s, 0) == 0))
			log_error("%s", reason_show((const char *)sqlite3_column_text(s, 1)));
		db_done(s);
	}
	return done;
}

static int run_checkpoint(const struct cmd_line *l)
{
	struct db db;
	int code, done;

	if ((code = receiver_conf_read(&conf, cmd_value(l, "config"), -1)) != 0 || (code = asking_open(&db, &conf)) != 0)
		return code;
	done = ask(&db);
	code = print_newest(&db);
	db_close(&db);
	return code == EXIT_OK && !done ? EXIT_NO : code;
}

const struct cmd cmd_ledger_checkpoint = {
	.name = "ledger checkpoint",
	.text = N_("have the receiver sign how far its record has come, and print that"),
	.usage = N_("-c receiver.conf [--json] >FILE"),
	.help = N_("A few lines to be kept where nobody who reaches the receiver can change them.  Later,\n"
	    "`katamichi ledger verify --checkpoint FILE' (these lines, not their JSON) tells whether the record still goes\n"
	    "on from there.  The receiver signs with its ledger key, and never fewer rows than it signed before.\n"),
	.exits = N_("0 signed and printed, 1 not signed now (what is printed, if anything, is the last one),\n"
	    "2 usage, 3 configuration, 5 the ledger cannot be written, 6 its database is damaged"),
	.options = { CMD_CONFIG, CMD_JSON },
	.end = CONF_KIND_RECEIVER,
	.run = run_checkpoint,
};
