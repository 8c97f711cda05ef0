/* cmd_gaps.c - katamichi gaps: which numbers are missing, since when, and
 * whether they will come by themselves. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "host/db.h"
#include "host/exits.h"
#include "receiver/receiver_conf.h"
#include "tools/cmd.h"
#include "tools/gap_list.h"
#include "tools/gap_slips.h"
#include "tools/out.h"

enum { LINES_MAX = 100 }; /* of each kind, for people */

static struct receiver_conf conf;

static void
show_aside(const json_t *list)
{
	const json_t *g;
	size_t i;

	json_array_foreach(list, i, g) {
		long long number = json_integer_value(json_object_get(g, "number"));
		const char *where = json_string_value(json_object_get(g, "where"));
		if (i == LINES_MAX) {
			printf("... and %zu more (--json has all)\n", json_array_size(list) - i);
			break;
		}
		printf("%s: %s ", where != NULL ? "set aside" : "refused", json_string_value(json_object_get(g, "channel")));
		if (number != 0)
			printf("%lld", number);
		else
			printf("(number not known)");
		printf("\tfrom %s\tsince %s\t%s\t%s\n", json_string_value(json_object_get(g, "peer")),
		    json_string_value(json_object_get(g, "since")), json_string_value(json_object_get(g, "reason")),
		    where != NULL ? where : "not kept; once this is put right here, a later round of the sender brings it");
	}
}

static const struct {
	const char *outlook, *words;
} saying[] = {
	{ "heals", "the sender still keeps it: it comes by itself" },
	{ "lost", "the sender does not keep it any more: put the files in again" },
	{ "heals in part", "the sender keeps the newer ones only: put the older ones in again" },
	{ "not known yet", "not known yet whether the sender keeps it: no heartbeat of this generation so far" },
	{ "heals unless set aside", "the sender still keeps it: it comes by itself, unless it is one that was set aside unread" },
};

static const char *
words(const char *look)
{
	for (size_t i = 0; i < sizeof(saying) / sizeof(saying[0]); i++)
		if (strcmp(saying[i].outlook, look) == 0)
			return saying[i].words;
	return look;
}

static void
show_why(const json_t *g)
{
	const char *why = json_string_value(json_object_get(g, "why")), *reason = json_string_value(json_object_get(g, "reason"));
	long long have = json_integer_value(json_object_get(g, "have")), all = json_integer_value(json_object_get(g, "symbols"));

	if (strcmp(why, "not seen") == 0)
		printf("nothing of it has come");
	else if (strcmp(why, "in part") == 0)
		printf("has come in part (%.1f %%)", all > 0 ? 100.0 * (double)have / (double)all : 0.0);
	else if (strcmp(why, "damaged") == 0)
		printf("came, and could not be opened");
	else
		printf("nothing of it has come, or it is one of those that came in part or damaged");
	if (reason != NULL)
		printf(": %s", reason);
}

static void
show(const json_t *list, const json_t *parts)
{
	const json_t *g, *p;
	size_t i;

	json_array_foreach(list, i, g) {
		if (i == LINES_MAX) {
			printf("... and %zu more (--json has all)\n", json_array_size(list) - i);
			break;
		}
		long long first = json_integer_value(json_object_get(g, "first")), last = json_integer_value(json_object_get(g, "last"));
		printf("%s\t%lld", json_string_value(json_object_get(g, "channel")), first);
		if (last != first)
			printf("-%lld", last);
		printf("\tfrom %s\tsince %s\t", json_string_value(json_object_get(g, "peer")),
		    json_string_value(json_object_get(g, "since")));
		show_why(g);
		printf("; %s\n", words(json_string_value(json_object_get(g, "outlook"))));
	}
	json_array_foreach(parts, i, p) {
		long long have = json_integer_value(json_object_get(p, "have")), all = json_integer_value(json_object_get(p, "symbols"));
		printf("partly received: object %.8s from %s, %lld symbols", json_string_value(json_object_get(p, "object")),
		    json_string_value(json_object_get(p, "peer")), have);
		if (all > 0)
			printf(" of %lld (%.1f %%)", all, 100.0 * (double)have / (double)all);
		printf("\n");
	}
}

static int
list(int json)
{
	static char path[RECEIVER_PATH_MAX + 32];
	struct db db;
	json_t *gaps, *aside, *parts = gap_partly(&conf);
	int missing;

	snprintf(path, sizeof(path), "%s/ledger/ledger.db", conf.state);
	if (db_open_readonly(&db, path) != 0) {
		json_decref(parts);
		return EXIT_SYSTEM;
	}
	gaps = gap_list(&db, &conf, parts);
	aside = gap_aside(&db, &conf);
	db_close(&db);
	missing = json_array_size(gaps) != 0 || json_array_size(aside) != 0;
	if (json) {
		json_t *o = json_pack("{s:O, s:O, s:O}", "gaps", gaps, "aside", aside, "partly", parts);
		json_dumpf(o, stdout, JSON_COMPACT);
		putchar('\n');
		json_decref(o);
	} else {
		show_aside(aside);
		show(gaps, parts);
		if (!missing)
			printf("nothing that was announced is missing\n");
	}
	json_decref(gaps);
	json_decref(aside);
	json_decref(parts);
	return missing ? EXIT_NO : EXIT_OK;
}

static int
run(const struct cmd_line *l)
{
	struct gap_slips_how how = { .channel = cmd_value(l, "channel"), .png = cmd_value(l, "png"), .page = cmd_value(l, "page"),
		.json = out_mode() == OUT_JSON };
	int slip = cmd_value(l, "slip") != NULL, code;

	if (!slip && (how.channel != NULL || how.png != NULL || how.page != NULL))
		return cmd_usage(l->cmd, _("--channel, --png and --page go with --slip"));
	if ((code = receiver_conf_read(&conf, cmd_value(l, "config"), -1)) != 0 || (code = receiver_conf_peers(&conf)) != 0)
		return code;
	return slip ? gap_slips(&conf, &how) : list(how.json);
}

const struct cmd cmd_gaps = {
	.name = "gaps",
	.text = N_("transfers that have not arrived, by channel and number"),
	.usage = N_("-c receiver.conf [--json]\n"
	    "-c receiver.conf --slip [--channel NAME] [--png FILE] [--page FILE] [--json]"),
	.help = N_("Lists the numbers that the sender has given and that are not in the ledger: channel, numbers,\n"
	    "since when, and whether the sender still keeps them (then they come by themselves).\n"
	    "Also what arrived and was not delivered: set aside in the quarantine (until its directory is\n"
	    "taken out of there, or its number is delivered), or refused, as over a cap of its channel; and\n"
	    "objects that have arrived in part.\n"
	    "--slip prints, instead, a code for each channel with gaps: carried to the sending host and given to\n"
	    "`katamichi resend', it has the missing numbers sent again.  Each slip is recorded in the ledger.\n"),
	.exits = N_("0 nothing is missing (with --slip: printed), 1 something is (with --slip: nothing to ask\n"
	    "for), 2 usage, 3 configuration, 4 keys, 5 the ledger cannot be read"),
	.options = { CMD_CONFIG, { "slip", 0, CMD_FLAG, NULL, N_("print codes that ask for what is missing, with QR codes"), 0 },
	    { "channel", 0, CMD_TEXT, N_("NAME"), N_("slips for this channel only"), 0 },
	    { "png", 0, CMD_FILE, N_("FILE"), N_("write the QR code as a picture, too"), 0 },
	    { "page", 0, CMD_FILE, N_("FILE"), N_("write a page to print, too (HTML)"), 0 }, CMD_JSON },
	.run = run,
};
