/* cmd_closings.c - katamichi closings: what senders said they had numbered, and whether it is here now. */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "codec/hex.h"
#include "host/clock.h"
#include "host/exits.h"
#include "host/log.h"
#include "receiver/closings.h"
#include "tools/cmd.h"
#include "tools/gap_list.h"
#include "tools/out.h"
#include "tools/status.h"

struct tally { /* of one channel of one closing */
	uint64_t here, missing, aside, differs, settled;
	json_t *lacking; /* numbers */
};

enum { LACKING_MAX = 1000, LACKING_SHOWN = 20, LATE_S = 36 * 3600 /* a day, and what repeats take */ };

static void count(struct tally *t, enum closings_state state, uint64_t number)
{
	switch (state) {
	case CLOSINGS_HERE: t->here++; return;
	case CLOSINGS_SETTLED: t->settled++; return; /* by name, in the ledger */
	case CLOSINGS_MISSING: t->missing++; break;
	case CLOSINGS_ASIDE: t->aside++; break;
	case CLOSINGS_DIFFERS: t->differs++; break;
	}
	if (json_array_size(t->lacking) < LACKING_MAX)
		json_array_append_new(t->lacking, json_integer((json_int_t)number));
}

static void end_channel(json_t *channels, const struct closing_channel *c, struct tally *t)
{
	char generation[33];

	hex_put(generation, c->generation, 16);
	json_array_append_new(channels, json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "channel", c->channel,
	    "generation", generation, "first", (json_int_t)c->first, "last", (json_int_t)c->last, "newest", (json_int_t)c->newest,
	    "here", (json_int_t)t->here, "missing", (json_int_t)t->missing, "aside", (json_int_t)t->aside, "differs",
	    (json_int_t)t->differs, "settled", (json_int_t)t->settled, "lacking", t->lacking));
	memset(t, 0, sizeof(*t));
}

/* The sections of one closing as they stand now; the text is the one that was checked when it came. */
static json_t *channels_of(struct db *db, const char *sender, const char *text, size_t n)
{
	json_t *channels = json_array();
	struct ledger_stream s;
	struct tally t = { 0 };
	struct closing r;
	enum closing_got g;

	if (closing_check(text, n) != 0 || closing_open(&r, text, n) != 0)
		return channels;
	snprintf(s.sender, sizeof(s.sender), "%s", sender);
	for (;;) {
		struct closing_channel before = r.channel;
		g = closing_next(&r);
		if (g == CLOSING_ENTRY) {
			count(&t, closings_look(db, &s, &r.entry), r.entry.number);
			continue;
		}
		if (g == CLOSING_GONE)
			continue;
		if (t.lacking != NULL)
			end_channel(channels, &before, &t);
		if (g != CLOSING_SECTION)
			return channels;
		t.lacking = json_array();
		strcpy(s.channel, r.channel.channel);
		hex_put(s.generation, r.channel.generation, 16);
	}
}

/* Closings that were numbered and have not come: what they name no other names again.  Like those that came they are shown as long as
 * they are among the last so many: those behind them, and all of a later generation, have come after them. */
static void add_missing(json_t *a, struct db *db, const struct receiver_conf *c, int64_t last)
{
	sqlite3_stmt *q = db_query(db, "SELECT sender, first, last FROM gap AS g WHERE channel = ? AND (SELECT count(*) FROM delivery AS d"
	    " WHERE d.sender = g.sender AND d.channel = g.channel AND CASE WHEN d.generation = g.generation THEN d.number > g.last"
	    " ELSE CAST(strftime('%s', d.at) AS INTEGER) >= g.since END) < ? ORDER BY sender, since, first", "ti", CLOSING_CHANNEL, last);

	while (db_step(db, q) == 1) {
		const struct receiver_peer *peer = gap_peer(c, db_text(q, 0));
		if (peer != NULL)
			json_array_append_new(a, json_pack("{s:I, s:I, s:s, s:s, s:s, s:b, s:[]}", "number", (json_int_t)sqlite3_column_int64(q, 2),
			    "first", (json_int_t)sqlite3_column_int64(q, 1), "peer", peer->name, "kind", "missing", "closed", "", "readable", 0,
			    "channels"));
	}
}

/* Seconds since the newest came, by this host's clock; 0 if none has, or the clock was set back. */
static uint64_t newest_age_s(struct db *db)
{
	int64_t came = db_int(db, "SELECT CAST(strftime('%s', substr(entry, 8, 20)) AS INTEGER) FROM ledger WHERE seq ="
	    " (SELECT max(seq) FROM closing)", "");
	int64_t now = (int64_t)(clock_wall_ms() / 1000);

	return came > 0 && now > came ? (uint64_t)(now - came) : 0;
}

static json_t *closings(struct db *db, const struct receiver_conf *c, int64_t last)
{
	json_t *a = json_array();
	/* By number, not as they came: after an outage they come in any order.  A generation is as new as its newest. */
	sqlite3_stmt *q = db_query(db, "SELECT * FROM (SELECT c.seq, c.sender, c.number, c.kind, c.at, c.text, max(c.seq) OVER (PARTITION BY"
	    " c.sender, d.generation) AS age FROM closing AS c JOIN delivery AS d ON d.channel = ? AND d.number = c.number AND"
	    " d.sender = c.sender AND d.seq = c.seq ORDER BY age DESC, c.number DESC LIMIT ?) ORDER BY age, number", "ti", CLOSING_CHANNEL,
	    last);

	while (db_step(db, q) == 1) {
		const char *sender = db_text(q, 1), *text = db_text(q, 5);
		const struct receiver_peer *peer = gap_peer(c, sender);
		json_array_append_new(a, out_made(json_pack("{s:I, s:s, s:s, s:s, s:b, s:o}", "number", (json_int_t)sqlite3_column_int64(q, 2), "peer",
		    peer != NULL ? peer->name : RECEIVER_NOT_PINNED, "kind", db_text(q, 3), "closed", db_text(q, 4), "readable",
		    text[0] != '\0', "channels", channels_of(db, sender, text, strlen(text)))));
	}
	add_missing(a, db, c, last);
	return a;
}

static uint64_t number(const json_t *o, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(o, key));
}

/* What is lacking, in a few words: "2 5 7 ...". */
static void say_lacking(char *to, size_t size, const json_t *c)
{
	const json_t *n;
	size_t i;

	to[0] = '\0';
	if (number(c, "last") < number(c, "first")) {
		snprintf(to, size, _("nothing new (newest %" PRIu64 ")"), number(c, "newest"));
		return;
	}
	if (number(c, "differs") > 0)
		snprintf(to, size, "%s ", _("ALARM: here with another manifest than the sender's:"));
	json_array_foreach(json_object_get(c, "lacking"), i, n) {
		size_t at = strlen(to);
		snprintf(to + at, size - at, "%s%" JSON_INTEGER_FORMAT, i == 0 ? "" : " ", json_integer_value(n));
		if (i == LACKING_SHOWN) {
			snprintf(to + strlen(to), size - strlen(to), " ...");
			break;
		}
	}
}

static enum out_style style(const json_t *row)
{
	return number(row, "differs") > 0 ? OUT_BAD : number(row, "missing") + number(row, "aside") > 0 ? OUT_WARN : OUT_PLAIN;
}

static void show_channels(json_t *channels)
{
	static const struct out_column columns[] = {
		{ "channel", N_("CHANNEL"), OUT_STRING }, { "first", N_("FROM"), OUT_NUMBER }, { "last", N_("TO"), OUT_NUMBER },
		{ "here", N_("HERE"), OUT_NUMBER }, { "missing", N_("MISSING"), OUT_NUMBER }, { "aside", N_("SET ASIDE"), OUT_NUMBER },
		{ "differs", N_("DIFFERENT"), OUT_NUMBER }, { "which", N_("WHICH"), OUT_STRING },
	};
	char which[512];
	json_t *c;
	size_t i;

	json_array_foreach(channels, i, c) {
		say_lacking(which, sizeof(which), c);
		json_object_set_new(c, "which", json_string(which));
	}
	out_table(channels, columns, sizeof(columns) / sizeof(columns[0]), style);
}

static void show(const json_t *list, uint64_t age_s)
{
	static const char *const kinds[] = { N_("listed"), N_("daily"), N_("asked") };
	char when[32];
	const json_t *o;
	size_t i;

	(void)kinds; /* for the catalogue: what closing.h calls them */
	if (json_array_size(list) == 0)
		puts(_("no closing has come yet"));
	json_array_foreach(list, i, o) {
		if (strcmp(json_string_value(json_object_get(o, "kind")), "missing") == 0) {
			printf("%s%s", i > 0 ? "\n" : "", out_style(OUT_BAD));
			printf(_("closings %" PRIu64 " to %" PRIu64 " of %s have not come (katamichi gaps)"), number(o, "first"), number(o, "number"),
			    json_string_value(json_object_get(o, "peer")));
			printf("%s\n", out_style(OUT_PLAIN));
			continue;
		}
		printf(_("%s%sclosing %" PRIu64 " (%s) of %s, from %s%s\n"), i > 0 ? "\n" : "", out_style(OUT_STRONG), number(o, "number"),
		    _(json_string_value(json_object_get(o, "kind"))), out_time(when, json_string_value(json_object_get(o, "closed"))),
		    out_peer(json_string_value(json_object_get(o, "peer"))), out_style(OUT_PLAIN));
		if (!json_is_true(json_object_get(o, "readable")))
			printf("%s%s%s\n", out_style(OUT_BAD), _("ALARM: it was not what was delivered when it was read; see the ledger"),
			    out_style(OUT_PLAIN));
		if (json_array_size(json_object_get(o, "channels")) > 0)
			show_channels(json_object_get(o, "channels"));
	}
	if (age_s > LATE_S)
		printf(_("%s%sthe newest came %" PRIu64 " hours ago, though one comes every day: look at the sender and the link%s\n"), "\n",
		    out_style(OUT_BAD), age_s / 3600, out_style(OUT_PLAIN));
}

static void show_tsv(const json_t *list)
{
	static const struct out_column columns[] = {
		{ "number", "", OUT_NUMBER }, { "kind", "", OUT_STRING }, { "closed", "", OUT_TIME }, { "peer", "", OUT_STRING },
		{ "channel", "", OUT_STRING }, { "generation", "", OUT_STRING }, { "first", "", OUT_NUMBER }, { "last", "", OUT_NUMBER },
		{ "newest", "", OUT_NUMBER }, { "here", "", OUT_NUMBER }, { "missing", "", OUT_NUMBER }, { "aside", "", OUT_NUMBER },
		{ "differs", "", OUT_NUMBER },
	};
	json_t *rows = json_array(), *o, *c;
	size_t i, j;

	json_array_foreach(list, i, o)
		json_array_foreach(json_object_get(o, "channels"), j, c) {
			json_t *row = json_copy(o);
			json_object_update(row, c);
			json_array_append_new(rows, row);
		}
	out_table(rows, columns, sizeof(columns) / sizeof(columns[0]), NULL);
	json_decref(rows);
}

/* EXIT_OK if all that they name is here. */
static int judge(const json_t *list)
{
	const json_t *o, *c;
	size_t i, j;
	int code = EXIT_OK;

	json_array_foreach(list, i, o) {
		if (!json_is_true(json_object_get(o, "readable")))
			code = EXIT_NO;
		json_array_foreach(json_object_get(o, "channels"), j, c)
			if (json_array_size(json_object_get(c, "lacking")) > 0)
				code = EXIT_NO;
	}
	return code;
}

static int run(const struct cmd_line *l)
{
	static struct receiver_conf conf;
	static char path[RECEIVER_PATH_MAX + 32];
	struct db db;
	json_t *list;
	const char *text = cmd_value(l, "last");
	int64_t last = 10;
	uint64_t age_s;
	int code;

	if (cmd_number(text, INT64_MAX, &last) != 0)
		return cmd_usage(l->cmd, _("--last takes a number"));
	if ((code = receiver_conf_read(&conf, cmd_value(l, "config"), -1)) != 0 || (code = receiver_conf_peers(&conf)) != 0)
		return code;
	snprintf(path, sizeof(path), "%s/ledger/ledger.db", conf.state);
	if (db_open_readonly(&db, path) != 0)
		return EXIT_SYSTEM;
	list = closings(&db, &conf, last > 0 ? last : INT64_MAX);
	age_s = newest_age_s(&db);
	db_close(&db);
	code = age_s > LATE_S ? EXIT_NO : judge(list);
	if (out_mode() == OUT_JSON)
		out_json(list);
	else if (out_mode() == OUT_TSV)
		show_tsv(list);
	else
		show(list, age_s);
	json_decref(list);
	return code;
}

const struct cmd cmd_closings = {
	.name = "closings",
	.text = N_("what senders said they had numbered, and whether it is here"),
	.usage = N_("-c receiver.conf [--last N] [--json|--tsv]"),
	.help = N_("A sender lists what it has numbered: now and then, every day, and when asked (katamichi close).  For\n"
	    "each of the last N closings: by channel, which numbers, and how they stand now: here with the manifest\n"
	    "that the sender has, missing, set aside or refused, or here with another manifest.  Closings that\n"
	    "have not come are named among them, and so is that none has come for a day and a half.\n"),
	.exits = N_("0 all of them are here, 1 not all, or a closing is lacking, 2 usage, 3 configuration, 4 keys,\n"
	    "5 the ledger cannot be read, 6 its database is damaged"),
	.options = { CMD_CONFIG, { "last", 0, CMD_TEXT, N_("N"), N_("how many closings, the newest; 0: all (10)"), 0 }, CMD_JSON, CMD_TSV },
	.end = CONF_KIND_RECEIVER,
	.run = run,
};
