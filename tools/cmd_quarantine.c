/* cmd_quarantine.c - katamichi quarantine list|show|release|discard: what did not pass, and what people decide about it. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/clock.h"
#include "host/exits.h"
#include "host/log.h"
#include "host/reason.h"
#include "receiver/name_json.h"
#include "receiver/quarantine.h"
#include "tools/asking.h"
#include "tools/cmd.h"
#include "tools/out.h"

enum { ENTRIES_MAX = 256, CELL_MAX = 1024 /* bytes of an entry as it is shown */ };

static struct receiver_conf conf;

static int open_readonly(const struct cmd_line *l, struct db *db)
{
	static char path[RECEIVER_PATH_MAX + 32];
	int code = receiver_conf_read(&conf, cmd_value(l, "config"), -1);

	if (code != 0)
		return code;
	snprintf(path, sizeof(path), "%s/ledger/ledger.db", conf.state);
	if ((code = asking_is_ledger(path)) != EXIT_OK)
		return code;
	if (db_open_readonly(db, path) != 0)
		return EXIT_SYSTEM;
	if (db_int(db, "SELECT count(*) FROM sqlite_master WHERE name = 'quarantine'", "") != 0)
		return EXIT_OK;
	log_error("%s: is of an older version; start the receiver once", path);
	db_close(db);
	return EXIT_DATA;
}

/* A name that is no UTF-8, for a table. */
static void show_name(json_t *row)
{
	uint8_t name[NAME_MAX_LEN];
	char shown[4 * NAME_MAX_LEN + 4];
	size_t n = name_json_get(name, row, "file", "file_b64");

	if (n > 0 && out_mode() != OUT_JSON)
		json_object_set_new(row, "file", json_string(log_show(shown, sizeof(shown), name, n)));
}

/* --- list --- */
static int run_list(const struct cmd_line *l)
{
	static const struct out_column column[] = {
		{ "entry", N_("entry"), OUT_STRING }, { "state", N_("state"), OUT_WORD }, { "kept", N_("what"), OUT_WORD },
		{ "channel", N_("channel"), OUT_STRING }, { "number", N_("number"), OUT_NUMBER }, { "at", N_("since"), OUT_TIME },
		{ "file", N_("file"), OUT_STRING }, { "bytes", N_("size"), OUT_BYTES }, { "reason", N_("reason"), OUT_WORD },
	};
	int all = cmd_value(l, "all") != NULL, held;
	struct db db;
	json_t *rows, *row;
	size_t i;
	int code = open_readonly(l, &db);

	if (code != EXIT_OK)
		return code;
	rows = quarantine_list(&db, INT64_MAX, !all);
	held = db_int(&db, "SELECT count(*) FROM quarantine WHERE state = 'held'", "") != 0;
	db_close(&db);
	json_array_foreach(rows, i, row)
		show_name(row);
	if (out_mode() == OUT_JSON)
		out_json(rows);
	else if (json_array_size(rows) == 0 && out_mode() == OUT_TEXT)
		printf("%s\n", _("nothing is held in the quarantine"));
	else
		out_table(rows, column, sizeof(column) / sizeof(column[0]), NULL);
	json_decref(rows);
	return held ? EXIT_NO : EXIT_OK;
}

const struct cmd cmd_quarantine_list = {
	.name = "quarantine list",
	.text = N_("what did not pass the checks and is held back in the zone"),
	.usage = N_("-c receiver.conf [--all] [--json | --tsv]"),
	.help = N_("One line for each entry, the newest first: a file of a transfer whose rest was delivered (file), a whole\n"
	    "transfer (transfer), what is not what a sender signed (unverified), an object never opened (sealed).\n"),
	.exits = N_("0 nothing is held, 1 something is, 2 usage, 3 configuration, 5 the ledger cannot be read,\n"
	    "6 it is damaged, or of an older version"),
	.options = { CMD_CONFIG, { "all", 0, CMD_FLAG, NULL, N_("also what was released or discarded"), 0 }, CMD_JSON, CMD_TSV },
	.run = run_list,
};

/* States and kinds, as the ledger's tables call them, for the catalogue. */
static const char *const words[] __attribute__((unused)) = { N_("held"), N_("released"), N_("discarded"), N_("file"), N_("transfer"),
	N_("unverified"), N_("sealed"), N_("release"), N_("discard"), N_("approved") };

/* --- show --- */
/* What was asked for, by whom, and what became of it. */
static json_t *history(struct db *db, const char *entry)
{
	json_t *a = json_array();
	sqlite3_stmt *s = db_query(db, "SELECT what, operator, login, reason, at, answer FROM quarantine_request WHERE entry = ? ORDER BY id",
	    "t", entry);
	char at[21];

	while (db_step(db, s) == 1) {
		clock_iso(at, (uint64_t)sqlite3_column_int64(s, 4) / 1000);
		json_array_append_new(a, out_made(json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "what", db_text(s, 0), "operator", db_text(s, 1),
		    "login", db_text(s, 2), "reason", db_text(s, 3), "at", at, "answer", db_text(s, 5))));
	}
	return a;
}

static void show(const json_t *row)
{
	static const struct out_column column[] = {
		{ "at", N_("at"), OUT_TIME }, { "what", N_("what"), OUT_WORD }, { "operator", N_("operator"), OUT_STRING },
		{ "login", N_("login"), OUT_STRING }, { "reason", N_("reason"), OUT_WORD }, { "answer", N_("answer"), OUT_WORD },
	};
	static const struct out_column fact[] = {
		{ "entry", N_("entry"), OUT_STRING }, { "state", N_("state"), OUT_WORD }, { "kept", N_("what"), OUT_WORD },
		{ "place", N_("released to"), OUT_STRING }, { "where", N_("directory"), OUT_STRING }, { "channel", N_("channel"), OUT_STRING },
		{ "number", N_("number"), OUT_NUMBER }, { "file", N_("file"), OUT_STRING }, { "files", N_("files"), OUT_NUMBER },
		{ "bytes", N_("size"), OUT_BYTES }, { "reason", N_("reason"), OUT_WORD }, { "checks", N_("checks"), OUT_STRING },
		{ "at", N_("since"), OUT_TIME }, { "peer", N_("sender"), OUT_STRING }, { "sender", N_("fingerprint of the sender"), OUT_STRING },
		{ "generation", N_("generation"), OUT_STRING }, { "manifest", N_("SHA-256 of the manifest"), OUT_STRING },
		{ "object", N_("sealed object"), OUT_STRING },
	};

	out_facts(row, fact, sizeof(fact) / sizeof(fact[0]), 0);
	if (json_array_size(json_object_get(row, "history")) > 0) {
		putchar('\n');
		out_table(json_object_get(row, "history"), column, sizeof(column) / sizeof(column[0]), NULL);
	}
}

static json_t *find(struct db *db, const char *entry)
{
	json_t *rows = quarantine_list(db, INT64_MAX, false), *row, *found = NULL;
	size_t i;

	json_array_foreach(rows, i, row)
		if (strcmp(json_string_value(json_object_get(row, "entry")), entry) == 0)
			found = json_incref(row);
	json_decref(rows);
	return found;
}

static int run_show(const struct cmd_line *l)
{
	static char where[2 * RECEIVER_PATH_MAX];
	struct db db;
	json_t *row;
	int code = open_readonly(l, &db);

	if (code != EXIT_OK)
		return code;
	row = find(&db, l->operand[0]);
	if (row != NULL)
		json_object_set_new(row, "history", history(&db, l->operand[0]));
	db_close(&db);
	if (row == NULL) {
		log_error(_("%s: there is no such entry; see katamichi quarantine list --all"), l->operand[0]);
		return EXIT_NO;
	}
	snprintf(where, sizeof(where), "%s/quarantine/%s", conf.state, l->operand[0]);
	if (strcmp(json_string_value(json_object_get(row, "state")), "held") == 0)
		json_object_set_new(row, "where", json_string(where));
	show_name(row);
	if (out_mode() == OUT_JSON)
		out_json(row);
	else
		show(row);
	json_decref(row);
	return EXIT_OK;
}

const struct cmd cmd_quarantine_show = {
	.name = "quarantine show",
	.text = N_("all about one entry of the quarantine, and who asked for what"),
	.usage = N_("-c receiver.conf ENTRY [--json]"),
	.help = N_("ENTRY is the name that `katamichi quarantine list' shows.\n"),
	.exits = N_("0 shown, 1 there is no such entry, 2 usage, 3 configuration, 5 the ledger cannot be read,\n"
	    "6 it is damaged, or of an older version"),
	.options = { CMD_CONFIG, CMD_JSON },
	.operands_min = 1, .operands_max = 1, .operand = CMD_TEXT,
	.run = run_show,
};

/* --- release, discard --- */
struct ask {
	const struct cmd_line *l;
	const char *what;
	int64_t id[ENTRIES_MAX];
};

/* Requests of one command go in together. */
static void write_requests(struct ask *a, struct db *db)
{
	db_exec(db, "BEGIN IMMEDIATE");
	for (int i = 0; i < a->l->operands; i++) {
		db_run(db, "INSERT INTO quarantine_request(what, entry, operator, reason, login, at) VALUES(?, ?, ?, ?, ?, ?)", "ttttt" "i",
		    a->what, a->l->operand[i], cmd_value(a->l, "operator"), cmd_value(a->l, "reason"), asking_login(),
		    (int64_t)clock_wall_ms());
		a->id[i] = db_int(db, "SELECT last_insert_rowid()", "");
	}
	db_exec(db, "COMMIT");
}

/* EXIT_OK if all was done. */
static int say(const struct ask *a, struct db *db)
{
	json_t *rows = json_array();
	int code = EXIT_OK;
	char shown[CELL_MAX]; /* an entry as it was typed may be anything */

	for (int i = 0; i < a->l->operands; i++) {
		sqlite3_stmt *s = db_query(db, "SELECT code, answer FROM quarantine_request WHERE id = ?", "i", a->id[i]);
		if (db_step(db, s) == 0)
			continue;
		int known = sqlite3_column_type(s, 0) != SQLITE_NULL, answer = sqlite3_column_int(s, 0);
		const char *text = known ? db_text(s, 1) : asking_pending(&conf);
		if (!known || answer != QUARANTINE_DONE)
			code = EXIT_NO;
		log_show(shown, sizeof(shown), a->l->operand[i], strlen(a->l->operand[i]));
		json_array_append_new(rows, json_pack("{s:s, s:b, s:b, s:s}", "entry", shown, "done",
		    known && answer == QUARANTINE_DONE, "another", known && answer == QUARANTINE_ANOTHER, "answer", text));
		if (out_mode() == OUT_TEXT)
			printf("%s: %s\n", shown, reason_show(text));
		db_done(s);
	}
	if (out_mode() == OUT_JSON)
		out_json(rows);
	json_decref(rows);
	return code;
}

static int ask(const struct cmd_line *l, const char *what)
{
	static struct ask a;
	struct db db;
	int code;

	if ((code = asking_who(l)) != 0 || (code = receiver_conf_read(&conf, cmd_value(l, "config"), -1)) != 0 || (code = asking_open(&db, &conf)) != 0)
		return code;
	a = (struct ask){ .l = l, .what = what };
	write_requests(&a, &db);
	/* Answered in their order, so the last one's answer is the end. */
	asking_wait(&db, &conf, "SELECT code IS NOT NULL FROM quarantine_request WHERE id = ?", a.id[l->operands - 1]);
	code = say(&a, &db);
	db_close(&db);
	return code;
}

static int run_release(const struct cmd_line *l)
{
	return ask(l, "release");
}

static int run_discard(const struct cmd_line *l)
{
	return ask(l, "discard");
}

#define EXITS N_("0 done, 1 not done (each line says why), or asked for while the receiver does not run,\n" \
	"2 usage, 3 configuration, 5 the ledger cannot be written, 6 its database is damaged")

const struct cmd cmd_quarantine_release = {
	.name = "quarantine release",
	.text = N_("deliver what is held back, in spite of what it did not pass"),
	.usage = N_("-c receiver.conf --operator NAME --reason TEXT ENTRY... [--json]"),
	.help = N_("A file appears as inbox/CHANNEL/NUMBER.released-OBJECT-INDEX/, a transfer in the place of its number, with\n"
	    "the sender's manifest and RELEASE.json, which says who released it and why.  Where the channel says\n"
	    "`release = two' a second operator, of another name, has to ask for the same.\n"),
	.exits = EXITS,
	.options = { CMD_CONFIG, ASKING_WHO, CMD_JSON },
	.operands_min = 1, .operands_max = ENTRIES_MAX, .operand = CMD_TEXT,
	.run = run_release,
};

const struct cmd cmd_quarantine_discard = {
	.name = "quarantine discard",
	.text = N_("remove what is held back, for good"),
	.usage = N_("-c receiver.conf --operator NAME --reason TEXT ENTRY... [--json]"),
	.help = N_("Its row stays in the ledger and says who discarded it, when and why.\n"),
	.exits = EXITS,
	.options = { CMD_CONFIG, ASKING_WHO, CMD_JSON },
	.operands_min = 1, .operands_max = ENTRIES_MAX, .operand = CMD_TEXT,
	.run = run_discard,
};
