/* cmd_settle.c - katamichi settle: nobody waits for these numbers any more. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "host/clock.h"
#include "host/exits.h"
#include "host/log.h"
#include "receiver/settle.h"
#include "tools/asking.h"
#include "tools/cmd.h"
#include "tools/gap_list.h"
#include "tools/status.h"

static struct receiver_conf conf;

struct settling {
	const char *channel, *wanted, *from; /* as given; wanted: how the generation begins, from: of which sender; "" for any */
	int64_t first, last;
	char generation[33], sender[2 * HASH_LEN + 1]; /* found */
	bool two, senders, kept;             /* there are other generations, or senders, too; the sender keeps one of them */
};

/* "7" or "7-9". */
static int read_numbers(struct settling *s, const char *text)
{
	const char *dash = strchr(text, '-');
	size_t n = dash != NULL ? (size_t)(dash - text) : strlen(text);
	char first[24];

	if (n >= sizeof(first))
		return -1;
	memcpy(first, text, n);
	first[n] = '\0';
	if (cmd_number(first, INT64_MAX / 2, &s->first) != 0)
		return -1;
	s->last = s->first;
	return (dash != NULL && cmd_number(dash + 1, INT64_MAX / 2, &s->last) != 0) || s->first < 1 || s->last < s->first ? -1 : 0;
}

static const char *text_of(const json_t *g, const char *key)
{
	const char *s = json_string_value(json_object_get(g, key));

	return s != NULL ? s : "";
}

/* By its name, or by how its fingerprint begins: those that are no longer pinned have no name. */
static bool of_sender(const struct settling *s, const json_t *g)
{
	return strcmp(text_of(g, "peer"), s->from) == 0 || strncmp(text_of(g, "sender"), s->from, strlen(s->from)) == 0;
}

/* Of a list of `katamichi gaps`: ranges of this channel that some of the numbers are in. */
static void look(struct settling *s, const json_t *list, const char *first, const char *last)
{
	const json_t *g;
	size_t i;

	json_array_foreach(list, i, g) {
		const char *generation = text_of(g, "generation"), *sender = text_of(g, "sender"), *outlook = text_of(g, "outlook");
		if (strcmp(text_of(g, "channel"), s->channel) != 0 || json_object_get(g, "where") != NULL ||
		    json_integer_value(json_object_get(g, last)) < s->first || json_integer_value(json_object_get(g, first)) > s->last ||
		    strncmp(generation, s->wanted, strlen(s->wanted)) != 0 || !of_sender(s, g))
			continue;
		s->senders |= s->sender[0] != '\0' && strcmp(s->sender, sender) != 0;
		s->two |= s->sender[0] != '\0' && strcmp(s->generation, generation) != 0;
		s->kept |= outlook[0] != '\0' && strcmp(outlook, "lost") != 0;
		snprintf(s->generation, sizeof(s->generation), "%s", generation);
		snprintf(s->sender, sizeof(s->sender), "%s", sender);
	}
}

/* Which stream is it, and is nobody to be waited for?  0, or an exit code, said. */
static int find(struct settling *s, struct db *db, bool anyway)
{
	struct gap_here here;
	json_t *gaps, *aside;

	gap_here_read(&here, &conf);
	gaps = gap_list(db, &conf, &here);
	aside = gap_aside(db, &conf);
	look(s, gaps, "first", "last");
	look(s, aside, "number", "number");
	json_decref(gaps);
	json_decref(aside);
	gap_here_free(&here);
	if (s->sender[0] == '\0') {
		log_error(_("%s: none of these numbers is missing (katamichi gaps lists what is)"), s->channel);
		return EXIT_NO;
	}
	if (s->senders) {
		log_error(_("%s: these numbers are missing of more than one sender: say which with --sender (katamichi gaps --tsv lists them)"), s->channel);
		return EXIT_NO;
	}
	if (s->two) {
		log_error(_("%s: these numbers are missing in more than one generation: say which with --generation (katamichi gaps --tsv lists them)"), s->channel);
		return EXIT_NO;
	}
	if (s->kept && !anyway) {
		log_error(_("%s: as far as is known the sender still keeps some of these: they come by themselves; with --anyway they are settled all the same"), s->channel);
		return EXIT_NO;
	}
	return EXIT_OK;
}

static int ask(const struct cmd_line *l, struct db *db, const struct settling *s)
{
	int64_t id;

	db_run(db, "INSERT INTO settle_request(sender, channel, generation, first, last, operator, reason, login, at) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)",
	    "tttii" "ttti", s->sender, s->channel, s->generation, s->first, s->last, cmd_value(l, "operator"), cmd_value(l, "reason"), asking_login(),
	    (int64_t)clock_wall_ms());
	id = db_int(db, "SELECT last_insert_rowid()", "");
	asking_wait(db, &conf, "SELECT code IS NOT NULL FROM settle_request WHERE id = ?", id);
	return asking_say(db, &conf, "SELECT code, answer FROM settle_request WHERE id = ?", id, "channel", s->channel);
}

static int run(const struct cmd_line *l)
{
	struct settling s = { .channel = l->operand[0], .wanted = cmd_value(l, "generation"), .from = cmd_value(l, "sender") };
	struct db db;
	int code;

	if (s.wanted == NULL)
		s.wanted = "";
	if (s.from == NULL)
		s.from = "";
	if (read_numbers(&s, l->operand[1]) != 0)
		return cmd_usage(l->cmd, _("NUMBERS are one number, or the first and the last: 7 or 7-9"));
	if ((code = asking_who(l)) != 0 || (code = receiver_conf_read(&conf, cmd_value(l, "config"), -1)) != 0 || (code = receiver_conf_peers(&conf)) != 0 ||
	    (code = asking_open(&db, &conf)) != 0)
		return code;
	code = find(&s, &db, cmd_value(l, "anyway") != NULL);
	if (code == EXIT_OK)
		code = ask(l, &db, &s);
	db_close(&db);
	return code;
}

const struct cmd cmd_settle = {
	.name = "settle",
	.text = N_("wait no longer for numbers that are missing for good"),
	.usage = N_("-c receiver.conf --operator NAME --reason TEXT [--sender NAME|HEX] [--generation HEX] [--anyway] CHANNEL NUMBERS [--json]"),
	.help = N_("For numbers that will not come: the sender does not keep them any more (katamichi gaps says so), or there is no such\n"
	    "sender any more, and it is known what became of their files.  NUMBERS: 7 or 7-9.  They are not called missing any\n"
	    "more; the ledger keeps who settled them, and why.  What comes after all is delivered as ever.\n"),
	.exits = N_("0 done, 1 not done (the line says why), or asked for while the receiver does not run,\n"
	    "2 usage, 3 configuration, 4 keys, 5 the ledger cannot be written, 6 its database is damaged"),
	.options = { CMD_CONFIG, ASKING_WHO, { "generation", 0, CMD_TEXT, N_("HEX"), N_("how the generation begins, where there are several"), 0 },
	    { "sender", 0, CMD_TEXT, N_("NAME|HEX"), N_("which sender, or how its fingerprint begins, where there are several"), 0 },
	    { "anyway", 0, CMD_FLAG, NULL, N_("also what the sender still keeps, as far as is known"), 0 }, CMD_JSON },
	.operands_min = 2, .operands_max = 2, .operand = CMD_TEXT,
	.end = CONF_KIND_RECEIVER,
	.run = run,
};
