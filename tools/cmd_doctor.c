/* cmd_doctor.c - katamichi doctor: does this host stand as the rules ask? */
#include <stdlib.h>
#include <string.h>

#include "host/exits.h"
#include "host/log.h"
#include "tools/cmd.h"
#include "tools/doctor.h"
#include "tools/out.h"
#include "tools/out_file.h"
#include "tools/status.h"

static const char *text(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s != NULL ? s : "";
}

static enum out_style style_of(const char *verdict)
{
	return strcmp(verdict, "met") == 0 ? OUT_GOOD : strcmp(verdict, "not met") == 0 ? OUT_BAD : strcmp(verdict, "declared") == 0 ?
	    OUT_PLAIN : OUT_WARN;
}

static void show(const json_t *results)
{
	const json_t *o, *fact;
	char line[600];
	size_t i, j;

	json_array_foreach(results, i, o) {
		printf("%-4s %s", text(o, "id"), out_style(style_of(text(o, "verdict"))));
		printf("%s%s  %s\n     ", _(text(o, "verdict")), out_style(OUT_PLAIN), text(o, "subject"));
		printf(_("(ordinance %s; JIS Q 27002 %s)\n"), text(o, "ordinance"), text(o, "jis"));
		(void)snprintf(line, sizeof(line), "%s%s", _("Basis: "), text(o, "basis"));
		fputs("     ", stdout);
		out_wrapped(line, 5, 5);
		putchar('\n');
		json_array_foreach(json_object_get(o, "facts"), j, fact) {
			fputs("     - ", stdout);
			out_wrapped(json_string_value(fact), 7, 7);
			putchar('\n');
		}
	}
}

/* 0: every item is met or declared. */
static int judge(const json_t *results)
{
	const json_t *o;
	size_t i;

	json_array_foreach(results, i, o)
		if (strcmp(text(o, "verdict"), "met") != 0 && strcmp(text(o, "verdict"), "declared") != 0)
			return EXIT_NO;
	return EXIT_OK;
}

static int read_conf(struct doctor *d, const char *name)
{
	int kind = conf_kind(name);

	if (kind < 0)
		return -kind;
	d->role = kind == CONF_KIND_SENDER ? DOCTOR_SENDER : DOCTOR_RECEIVER;
	return kind == CONF_KIND_SENDER ? sender_conf_read(&d->sender, name, -1) : receiver_conf_read(&d->receiver, name, -1);
}

/* Which file declares: the given one, or the one beside the configuration. */
static const char *declared(const struct cmd_line *l)
{
	static char path[SENDER_PATH_MAX + 16];
	const char *conf = cmd_value(l, "config"), *slash = strrchr(conf, '/');

	if (cmd_value(l, "declared") != NULL)
		return cmd_value(l, "declared");
	(void)snprintf(path, sizeof(path), "%.*sdoctor.conf", slash != NULL ? (int)(slash - conf) + 1 : 0, conf);
	return path;
}

/* What is shown goes to -o FILE, where that is given. */
static int begin(const struct doctor *d, const struct cmd_line *l)
{
	static struct out_own own;
	const char *conf = cmd_value(l, "config");

	if (d->role == DOCTOR_SENDER)
		out_own_sender(&own, &d->sender, conf);
	else
		out_own_receiver(&own, &d->receiver, conf);
	out_own_add(&own, declared(l));
	return out_file_begin(cmd_value(l, "output"), &own);
}

static int run(const struct cmd_line *l)
{
	static struct doctor d;
	const char *conf = cmd_value(l, "config"), *lang = cmd_value(l, "lang"), *root = cmd_value(l, "root");
	int code, html = cmd_value(l, "html") != NULL;
	json_t *results;

	if (html && out_mode() == OUT_JSON)
		return cmd_usage(l->cmd, _("one of --html and --json, not both"));
	if (lang != NULL && strcmp(lang, "ja") != 0 && strcmp(lang, "en") != 0)
		return cmd_usage(l->cmd, _("--lang is ja or en"));
	if ((code = read_conf(&d, conf)) != 0 || (code = doctor_declared_read(&d.said, declared(l), cmd_value(l, "declared") != NULL)) != 0)
		return code;
	if (out_mode() == OUT_JSON || lang != NULL)
		i18n_language(lang != NULL && out_mode() != OUT_JSON ? lang : "en");
	d.root = root != NULL ? root : "";
	if ((code = begin(&d, l)) != EXIT_OK)
		return code;
	doctor_look(&d);
	results = doctor_run(&d);
	if (html)
		doctor_page(&d, results, stdout);
	else if (out_mode() == OUT_JSON)
		out_json(results);
	else
		show(results);
	if ((code = out_file_end(1)) == EXIT_OK)
		code = judge(results);
	json_decref(results);
	doctor_free(&d);
	return code;
}

const struct cmd cmd_doctor = {
	.name = "doctor",
	.text = N_("does this host stand as the rules ask? item by item, with the facts"),
	.usage = N_("-c FILE [--declared FILE] [--html|--json] [-o FILE] [--lang ja|en] [--root DIR]"),
	.help = N_("Looks at this host, as root best, and changes nothing: separation, packet filter, keys, disks, records (R1-R17).\n"
	    "Each item is met, declared (no host can show it; doctor.conf beside the configuration says it), cannot be told,\n"
	    "or not met; the facts from which that follows stand below it.  It is no certificate.\n"
	    "-o FILE takes the place of an older FILE when all of it is written; a pipe is written as it comes, - is standard output.\n"),
	.exits = N_("0 every item is met or declared, 1 some are not met or cannot be told, 2 usage (also: FILE is\n"
	    "katamichi's own, as its outbox or a key), 3 configuration,\n"
	    "5 it cannot be read or written, 6 its database is damaged"),
	.options = { CMD_CONFIG, { "declared", 0, CMD_FILE, N_("FILE"), N_("what no host can show (doctor.conf)"), 0 },
	    { "html", 0, CMD_FLAG, NULL, N_("a page to print, in the audit guideline's columns"), 0 }, CMD_JSON,
	    { "output", 'o', CMD_FILE, N_("FILE"), N_("write there, not to standard output"), 0 },
	    { "lang", 0, CMD_TEXT, N_("LANG"), N_("ja or en, whatever the locale says"), 0 },
	    { "root", 0, CMD_DIR, N_("DIR"), N_("look at a copy of /proc, /sys and /etc in DIR, and at DIR/nft.json"), 0 } },
	.run = run,
};
