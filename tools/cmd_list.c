/* cmd_list.c - katamichi list: what was delivered or set aside here, or numbered by this sender. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "host/clock.h"
#include "host/exits.h"
#include "host/log.h"
#include "sender/outbox_schema.h"
#include "sender/sender_conf.h"
#include "tools/cmd.h"
#include "tools/deliveries.h"
#include "tools/out.h"
#include "tools/status.h"

static const struct out_column received[] = {
	{ "at", N_("WHEN"), OUT_TIME }, { "channel", N_("CHANNEL"), OUT_STRING }, { "number", N_("NUMBER"), OUT_NUMBER },
	{ "files", N_("FILES"), OUT_NUMBER }, { "bytes", N_("SIZE"), OUT_BYTES }, { "event", N_("WHAT"), OUT_WORD },
	{ "here", N_("THERE NOW"), OUT_YES }, { "dir", N_("DIRECTORY"), OUT_STRING },
};

static const struct out_column sent[] = {
	{ "at", N_("WHEN"), OUT_TIME }, { "channel", N_("CHANNEL"), OUT_STRING }, { "number", N_("NUMBER"), OUT_NUMBER },
	{ "files", N_("FILES"), OUT_NUMBER }, { "bytes", N_("SIZE"), OUT_BYTES }, { "rounds", N_("SENT TIMES"), OUT_NUMBER },
	{ "state", N_("SEALED OBJECT"), OUT_WORD },
};

/* Words of the ledger that nobody else shows. */
static const char *const words[] __attribute__((unused)) = { N_("fork") };

static enum out_style style(const json_t *row)
{
	const char *event = json_string_value(json_object_get(row, "event"));

	return event == NULL || strcmp(event, "delivered") == 0 ? OUT_PLAIN : OUT_WARN;
}

static void show(const json_t *list, const struct out_column *c, unsigned columns)
{
	if (out_mode() == OUT_JSON)
		out_json(list);
	else if (out_mode() == OUT_TEXT && json_array_size(list) == 0)
		puts(_("nothing of that kind"));
	else
		out_table(list, c, columns, style);
}

static int list_receiver(const char *conf, const struct deliveries_filter *f)
{
	static struct receiver_conf c;
	struct deliveries_damage damage;
	struct db db;
	json_t *list;
	int code = deliveries_open(&db, &c, conf);

	if (code != 0)
		return code;
	list = deliveries_list(&db, &c, f, &damage);
	db_close(&db);
	show(list, received, sizeof(received) / sizeof(received[0]));
	if ((code = deliveries_damaged(&damage)) == EXIT_OK)
		code = json_array_size(list) > 0 ? EXIT_OK : EXIT_NO;
	json_decref(list);
	return code;
}

static json_t *numbered(struct db *db, const struct deliveries_filter *f)
{
	static const char *const state[] = { [OUTBOX_KEPT] = N_("kept"), [OUTBOX_ERASED] = N_("erased"), [OUTBOX_LOST] = N_("lost") };
	json_t *a = json_array();
	char at[21];
	sqlite3_stmt *q = db_query(db, "SELECT * FROM (SELECT row, created, channel, number, files, bytes, rounds, state FROM object WHERE"
	    " (?1 IS NULL OR channel = ?1) AND (?2 = '' OR created >= 1000 * unixepoch(?2)) AND (?3 = '' OR created < 1000 * unixepoch(?3))"
	    " ORDER BY row DESC LIMIT ?4) ORDER BY row", "ttti", f->channel, f->from, f->to, f->last > 0 ? f->last : -1);

	while (db_step(db, q) == 1) {
		int s = sqlite3_column_int(q, 7);
		clock_iso(at, (uint64_t)sqlite3_column_int64(q, 1) / 1000);
		json_array_append_new(a, out_made(json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:s}", "at", at, "channel", db_text(q, 2),
		    "number", (json_int_t)sqlite3_column_int64(q, 3), "files", (json_int_t)sqlite3_column_int64(q, 4), "bytes",
		    (json_int_t)sqlite3_column_int64(q, 5), "rounds", (json_int_t)sqlite3_column_int64(q, 6), "state",
		    s >= 0 && s <= OUTBOX_LOST ? state[s] : "?")));
	}
	return a;
}

static int list_sender(const char *conf, const struct deliveries_filter *f)
{
	static struct sender_conf c;
	static char path[SENDER_PATH_MAX + 32];
	struct db db;
	json_t *list;
	int code = sender_conf_read(&c, conf, -1);

	if (code != 0)
		return code;
	snprintf(path, sizeof(path), "%s/outbox.db", c.state);
	if (access(path, R_OK) != 0) {
		log_error("%s: %m; has this sender ever run?", path);
		return EXIT_SYSTEM;
	}
	if (db_open_readonly(&db, path) != 0)
		return EXIT_SYSTEM;
	list = numbered(&db, f);
	db_close(&db);
	show(list, sent, sizeof(sent) / sizeof(sent[0]));
	code = json_array_size(list) > 0 ? EXIT_OK : EXIT_NO;
	json_decref(list);
	return code;
}

static int run(const struct cmd_line *l)
{
	const char *conf = cmd_value(l, "config"), *day = cmd_value(l, "day"), *last = cmd_value(l, "last");
	struct deliveries_filter f = { .channel = cmd_value(l, "channel"), .name = cmd_value(l, "name"), .last = 50 };
	int kind = conf_kind(conf);

	if (kind < 0)
		return -kind;
	if (day != NULL && deliveries_day(&f, day) != 0)
		return cmd_usage(l->cmd, _("--day: a date, as in 2026-04-01"));
	if (cmd_number(last, INT64_MAX, &f.last) != 0)
		return cmd_usage(l->cmd, _("--last takes a number"));
	if (kind == CONF_KIND_SENDER && f.name != NULL)
		return cmd_usage(l->cmd, _("--name: a sender does not keep the names of what it sent; ask the receiver"));
	return kind == CONF_KIND_SENDER ? list_sender(conf, &f) : list_receiver(conf, &f);
}

const struct cmd cmd_list = {
	.name = "list",
	.text = N_("what was delivered or set aside here, or numbered by this sender"),
	.usage = N_("-c FILE [--channel NAME] [--day DATE] [--name NAME] [--last N] [--json|--tsv]"),
	.help = N_("Lists the newest transfers, the oldest of them first.  On the receiver: from the ledger, with the\n"
	    "directory where each was put.  On the sender: what it has numbered; it cannot know what arrived.\n"),
	.exits = N_("0 listed, 1 there is nothing of that kind, 2 usage, 3 configuration, 4 keys,\n"
	    "5 the records cannot be read, 6 its database is damaged (what can be read is listed)"),
	.options = { CMD_CONFIG, { "channel", 0, CMD_TEXT, N_("NAME"), N_("of this channel only"), 0 },
	    { "day", 0, CMD_TEXT, N_("DATE"), N_("of this day (local time), as in 2026-04-01"), 0 },
	    { "name", 0, CMD_TEXT, N_("NAME"), N_("with a file of this name, also with * and ?, if it is still in the inbox"), 0 },
	    { "last", 0, CMD_TEXT, N_("N"), N_("how many, the newest; 0: all (50)"), 0 }, CMD_JSON, CMD_TSV },
	.run = run,
};
