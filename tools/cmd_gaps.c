/* cmd_gaps.c - katamichi gaps: which numbers are missing, since when, and
 * whether they will come by themselves. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "host/db.h"
#include "codec/closing.h"
#include "host/exits.h"
#include "host/reason.h"
#include "receiver/receiver_conf.h"
#include "tools/cmd.h"
#include "tools/gap_list.h"
#include "tools/gap_slips.h"
#include "tools/out.h"
#include "tools/status.h"

enum { LINES_MAX = 100 }; /* of each kind, for people */

static struct receiver_conf conf;

static const struct {
	const char *outlook, *words;
} saying[] = {
	{ "heals", N_("the sender still keeps it: it comes by itself") },
	{ "held", N_("it is delivered by itself as soon as that is put right") },
	{ "lost", N_("the sender does not keep it any more: put the files in again") },
	{ "heals in part", N_("the sender keeps the newer ones only: put the older ones in again") },
	{ "not known yet", N_("no heartbeat has said yet whether the sender still keeps it: look again in a minute") },
	{ "heals unless set aside", N_("the sender still keeps it: it comes by itself, unless it is one that was set aside unread") },
};

static const char *words(const char *look)
{
	for (size_t i = 0; i < sizeof(saying) / sizeof(saying[0]); i++)
		if (strcmp(saying[i].outlook, look) == 0)
			return _(saying[i].words);
	return look;
}

static const char *text_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s != NULL ? s : "";
}

/* What will become of it.  One that arrived damaged comes again; what lies damaged on the sender's disk comes damaged every time. */
static const char *say_outlook(const json_t *g)
{
	const char *outlook = text_of(g, "outlook");

	if (strcmp(outlook, "lost") == 0 && strcmp(text_of(g, "channel"), CLOSING_CHANNEL) == 0)
		return _("the sender does not keep this closing any more: what it named is missing here by its own number, or has come");
	if (strcmp(outlook, "heals") == 0 && strcmp(text_of(g, "why"), "damaged") == 0)
		return _("it is sent again; if it comes damaged each time, it is so on the sender's disk: put the files in again");
	return words(outlook);
}

/* Why is it not here?  And what will become of it. */
static void say_why(char *to, size_t size, const json_t *g)
{
	const char *why = text_of(g, "why"), *reason = text_of(g, "reason");
	double have = (double)json_integer_value(json_object_get(g, "have")), all = (double)json_integer_value(json_object_get(g, "symbols"));
	size_t n;

	if (strcmp(why, "not seen") == 0)
		snprintf(to, size, "%s", _("nothing of it has come"));
	else if (strcmp(why, "in part") == 0)
		snprintf(to, size, _("has come in part (%.1f %%)"), all > 0 ? 100.0 * have / all : 0.0);
	else if (strcmp(why, "damaged") == 0)
		snprintf(to, size, "%s", _("came, and could not be opened"));
	else if (strcmp(why, "given up") == 0)
		snprintf(to, size, "%s", _("nothing of it is here any more"));
	else if (strcmp(why, "held") == 0)
		snprintf(to, size, "%s", _("is here complete, and held"));
	else
		snprintf(to, size, "%s", _("nothing of it has come, or it is one of those that came in part or damaged, or are held"));
	n = strlen(to);
	snprintf(to + n, size - n, "%s%s%s%s", reason[0] != '\0' ? ": " : "", reason_show(reason), _("; "), say_outlook(g));
}

static void say_numbers(char *to, size_t size, long long first, long long last)
{
	if (last > first)
		snprintf(to, size, "%lld-%lld", first, last);
	else if (first > 0)
		snprintf(to, size, "%lld", first);
	else
		snprintf(to, size, "%s", _("(not known)"));
}

/* Rows for people from rows of facts; at most LINES_MAX. */
static json_t *rows_of(const json_t *facts, int aside)
{
	char numbers[64], why[1200];
	json_t *rows = json_array(), *list = status_streams(facts);
	const json_t *g;
	size_t i;

	json_array_foreach(list, i, g) {
		if (i == LINES_MAX)
			break;
		if (aside) {
			say_numbers(numbers, sizeof(numbers), json_integer_value(json_object_get(g, "number")), 0);
			snprintf(why, sizeof(why), "%s%s%s", reason_show(text_of(g, "reason")), _("; "), text_of(g, "where")[0] != '\0' ? text_of(g, "where") :
			    _("not kept; once this is put right here, a later round of the sender brings it"));
		} else {
			say_numbers(numbers, sizeof(numbers), json_integer_value(json_object_get(g, "first")),
			    json_integer_value(json_object_get(g, "last")));
			say_why(why, sizeof(why), g);
		}
		json_array_append_new(rows, json_pack("{s:s, s:s, s:s, s:s, s:s}", "channel", text_of(g, "channel"), "numbers", numbers,
		    "peer", text_of(g, "peer"), "since", text_of(g, "since"), "why", why));
	}
	json_decref(list);
	return rows;
}

static void show(const char *title, const json_t *list, int aside)
{
	static const struct out_column columns[] = {
		{ "channel", N_("CHANNEL"), OUT_STRING }, { "numbers", N_("NUMBERS"), OUT_STRING }, { "peer", N_("SENDER"), OUT_PEER },
		{ "since", N_("SINCE"), OUT_TIME }, { "why", N_("WHY, AND WHAT NEXT"), OUT_STRING },
	};
	json_t *rows = rows_of(list, aside);

	if (json_array_size(rows) > 0) {
		printf("%s%s%s\n", out_style(aside ? OUT_BAD : OUT_WARN), title, out_style(OUT_PLAIN));
		out_table(rows, columns, sizeof(columns) / sizeof(columns[0]), NULL);
		if (json_array_size(list) > LINES_MAX)
			printf(_("... and %zu more (--json has all)\n"), json_array_size(list) - LINES_MAX);
		putchar('\n');
	}
	json_decref(rows);
}

static void show_partly(const json_t *parts)
{
	const json_t *p;
	size_t i;

	json_array_foreach(parts, i, p) {
		long long have = json_integer_value(json_object_get(p, "have")), all = json_integer_value(json_object_get(p, "symbols"));
		if (all > 0)
			printf(_("partly received: object %.8s from %s, %lld symbols of %lld (%.1f %%)\n"), text_of(p, "object"), text_of(p, "peer"),
			    have, all, 100.0 * (double)have / (double)all);
		else
			printf(_("partly received: object %.8s from %s, %lld symbols\n"), text_of(p, "object"), text_of(p, "peer"), have);
	}
}

static void show_held(const json_t *held)
{
	const json_t *h;
	size_t i;

	json_array_foreach(held, i, h)
		printf(_("complete and held: object %.8s from %s: %s\n"), text_of(h, "object"), text_of(h, "peer"), reason_show(text_of(h, "why")));
}

/* Both kinds in one list: gaps have first and last, what was set aside has a number. */
static void show_tsv(const json_t *gaps, const json_t *aside)
{
	static const struct out_column columns[] = {
		{ "channel", "", OUT_STRING }, { "first", "", OUT_NUMBER }, { "last", "", OUT_NUMBER }, { "peer", "", OUT_STRING },
		{ "generation", "", OUT_STRING }, { "since", "", OUT_TIME }, { "why", "", OUT_STRING }, { "outlook", "", OUT_STRING },
		{ "reason", "", OUT_STRING }, { "where", "", OUT_STRING }, { "sender", "", OUT_STRING },
	};
	json_t *rows = json_array(), *g;
	size_t i;

	json_array_extend(rows, (json_t *)(uintptr_t)gaps);
	json_array_foreach(aside, i, g) {
		json_t *o = json_copy(g);
		json_object_set(o, "first", json_object_get(g, "number"));
		json_object_set(o, "last", json_object_get(g, "number"));
		json_object_set_new(o, "why", json_string(text_of(g, "where")[0] != '\0' ? "set aside" : "refused"));
		json_array_append_new(rows, o);
	}
	out_table(rows, columns, sizeof(columns) / sizeof(columns[0]), NULL);
	json_decref(rows);
}

static int list(void)
{
	static char path[RECEIVER_PATH_MAX + 32];
	struct db db;
	struct gap_here here;
	json_t *gaps, *aside;
	int missing;

	snprintf(path, sizeof(path), "%s/ledger/ledger.db", conf.state);
	if (db_open_readonly(&db, path) != 0)
		return EXIT_SYSTEM;
	gap_here_read(&here, &conf);
	gaps = gap_list(&db, &conf, &here);
	aside = gap_aside(&db, &conf);
	db_close(&db);
	missing = json_array_size(gaps) != 0 || json_array_size(aside) != 0;
	if (out_mode() == OUT_JSON) {
		json_t *o = json_pack("{s:O, s:O, s:O, s:O}", "gaps", gaps, "aside", aside, "partly", here.partly, "held", here.held);
		out_json(o);
		json_decref(o);
	} else if (out_mode() == OUT_TSV) {
		show_tsv(gaps, aside);
	} else {
		show(_("Set aside or refused"), aside, 1);
		show(_("Missing"), gaps, 0);
		show_partly(here.partly);
		show_held(here.held);
		if (!missing)
			puts(_("nothing that was announced is missing"));
	}
	json_decref(gaps);
	json_decref(aside);
	gap_here_free(&here);
	return missing ? EXIT_NO : EXIT_OK;
}

/* Of a file to write: before a slip is recorded that then is not shown.  Standard output has the text, or the JSON. */
static int check_file(const struct cmd_line *l, const char *path, const struct out_own *own)
{
	if (path != NULL && out_file_stdout(path))
		return cmd_usage(l->cmd, _("--png and --page go to a file; standard output has the slip's text"));
	return path != NULL ? out_file_allowed(path, own) : EXIT_OK;
}

static int run(const struct cmd_line *l)
{
	static struct out_own own;
	struct gap_slips_how how = { .own = &own, .channel = cmd_value(l, "channel"), .png = cmd_value(l, "png"), .page = cmd_value(l, "page"),
		.json = out_mode() == OUT_JSON };
	int slip = cmd_value(l, "slip") != NULL, code;

	if (!slip && (how.channel != NULL || how.png != NULL || how.page != NULL))
		return cmd_usage(l->cmd, _("--channel, --png and --page go with --slip"));
	if (slip && out_mode() == OUT_TSV)
		return cmd_usage(l->cmd, _("--slip: as text or --json"));
	if ((code = receiver_conf_read(&conf, cmd_value(l, "config"), -1)) != 0 || (code = receiver_conf_peers(&conf)) != 0)
		return code;
	out_own_receiver(&own, &conf, cmd_value(l, "config"));
	if ((code = check_file(l, how.png, &own)) != EXIT_OK || (code = check_file(l, how.page, &own)) != EXIT_OK)
		return code;
	return slip ? gap_slips(&conf, &how) : list();
}

const struct cmd cmd_gaps = {
	.name = "gaps",
	.text = N_("transfers that have not arrived, by channel and number"),
	.usage = N_("-c receiver.conf [--json|--tsv]\n"
	    "-c receiver.conf --slip [--channel NAME] [--png FILE] [--page FILE] [--json]"),
	.help = N_("Lists the numbers that the sender has given and that are not in the ledger: channel, numbers,\n"
	    "since when, and whether the sender still keeps them (then they come by themselves).\n"
	    "Also what arrived and was not delivered: set aside in the quarantine (until its directory is\n"
	    "taken out of there, or its number is delivered), or refused, as over a cap of its channel; and\n"
	    "objects that have arrived in part, or complete and are held (by the disk, a key's validity, the scanner).\n"
	    "--slip prints, instead, a code for each channel with gaps: carried to the sending host and given to\n"
	    "`katamichi resend', it has the missing numbers sent again, those that the sender still keeps.  Each\n"
	    "slip is recorded in the ledger.  FILE takes the place of an older FILE when all of it is written.\n"),
	.exits = N_("0 nothing is missing (with --slip: printed), 1 something is (with --slip: nothing to ask\n"
	    "for), 2 usage (also: FILE is katamichi's own, as its ledger or a key), 3 configuration, 4 keys,\n"
	    "5 the ledger cannot be read, or FILE not written,\n"
	    "6 its database is damaged"),
	.options = { CMD_CONFIG, { "slip", 0, CMD_FLAG, NULL, N_("print codes that ask for what is missing, with QR codes"), 0 },
	    { "channel", 0, CMD_TEXT, N_("NAME"), N_("slips for this channel only"), 0 },
	    { "png", 0, CMD_FILE, N_("FILE"), N_("write the QR code as a picture, too"), 0 },
	    { "page", 0, CMD_FILE, N_("FILE"), N_("write a page to print, too (HTML)"), 0 }, CMD_JSON, CMD_TSV },
	.end = CONF_KIND_RECEIVER,
	.run = run,
};
