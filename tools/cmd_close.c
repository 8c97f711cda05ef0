/* cmd_close.c - katamichi close: have the running sender write a closing. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "host/clock.h"
#include "host/db.h"
#include "host/exits.h"
#include "host/log.h"
#include "sender/outbox_schema.h"
#include "sender/sender_conf.h"
#include "tools/cmd.h"
#include "tools/out.h"
#include "tools/status.h"

enum { TRIES = 150 };
#define TRY_NS 100000000ull /* 15 s in all */

static void say(struct db *db)
{
	sqlite3_stmt *s = db_query(db, "SELECT channel, number FROM closed WHERE generation = (SELECT value FROM meta WHERE "
	    "key = 'generation') ORDER BY channel", "");

	int64_t row = db_int(db, "SELECT max(row) FROM closing", "");
	json_t *channels = json_array();

	if (out_mode() != OUT_JSON)
		printf(_("closing %" PRId64 " written\n"), row);
	while (db_step(db, s) == 1) {
		const char *channel = (const char *)sqlite3_column_text(s, 0);
		int64_t number = sqlite3_column_int64(s, 1);
		json_array_append_new(channels, json_pack("{s:s, s:I}", "channel", channel, "number", (json_int_t)number));
		if (out_mode() != OUT_JSON)
			printf(_("  %s: up to %" PRId64 "\n"), channel, number);
	}
	if (out_mode() == OUT_JSON)
		out_json_free(json_pack("{s:b, s:I, s:O}", "written", 1, "closing", (json_int_t)row, "channels", channels));
	json_decref(channels);
}

static int ask(struct db *db, const struct sender_conf *c)
{
	db_run(db, "INSERT INTO request(what, at) VALUES('close', ?)", "i", (int64_t)clock_wall_ms());
	for (int i = 0; i < TRIES && status_sender_running(c); i++) {
		clock_sleep_ns(TRY_NS);
		if (db_int(db, "SELECT count(*) FROM request WHERE what = 'close'", "") == 0) {
			say(db);
			return EXIT_OK;
		}
	}
	if (out_mode() == OUT_JSON)
		out_json_free(json_pack("{s:b, s:b}", "written", 0, "running", status_sender_running(c)));
	else
		puts(status_sender_running(c) ? _("asked for; the sender has not written it yet (is its disk full? see its log)") :
		    _("asked for; the sender does not run, and writes it when it does"));
	return EXIT_NO;
}

static int run(const struct cmd_line *l)
{
	static struct sender_conf c;
	static char path[SENDER_PATH_MAX + 32];
	struct db db;
	int code = sender_conf_read(&c, cmd_value(l, "config"), -1);

	if (code != 0)
		return code;
	snprintf(path, sizeof(path), "%s/outbox.db", c.state);
	if (access(path, R_OK | W_OK) != 0) {
		log_error("%s: %s; run this as the sender's user, on the sending host", path, strerror(errno));
		return EXIT_SYSTEM;
	}
	db_open(&db, path, OUTBOX_SCHEMA);
	code = ask(&db, &c);
	db_close(&db);
	return code;
}

const struct cmd cmd_close = {
	.name = "close",
	.text = N_("have the sender write down what it has numbered"),
	.usage = N_("-c sender.conf [--json]"),
	.help = N_("The sender lists, for the receiver, all it has numbered since the last time: a signed closing, as it\n"
	    "writes one every day by itself, also when there was nothing.  `katamichi closings' on the receiver\n"
	    "then says whether everything is there.\n"),
	.exits = N_("0 written, 1 asked for, but the sender does not run: it writes it when it does, 2 usage,\n"
	    "3 configuration, 5 the outbox cannot be written, 6 its database is damaged"),
	.options = { CMD_CONFIG, CMD_JSON },
	.end = CONF_KIND_SENDER,
	.run = run,
};
