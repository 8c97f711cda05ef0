/* cmd_report.c - katamichi report: a day or a month of the receiver's ledger. */
#include <string.h>

#include "host/exits.h"
#include "host/log.h"
#include "tools/cmd.h"
#include "tools/out.h"
#include "tools/out_file.h"
#include "tools/report.h"
#include "tools/status.h"

enum form { TEXT, CSV, HTML, JSON };

static int period(struct report_period *p, const struct cmd_line *l)
{
	const char *day = cmd_value(l, "day"), *month = cmd_value(l, "month");

	if ((day == NULL) == (month == NULL))
		return cmd_usage(l->cmd, _("either --day or --month is needed"));
	if (day != NULL && report_period_day(p, day) != 0)
		return cmd_usage(l->cmd, _("--day is a day such as 2026-11-21, or today, or yesterday"));
	if (month != NULL && report_period_month(p, month) != 0)
		return cmd_usage(l->cmd, _("--month is a month such as 2026-11"));
	return 0;
}

static int form(enum form *f, const struct cmd_line *l)
{
	const char *lang = cmd_value(l, "lang");
	int csv = cmd_value(l, "csv") != NULL, html = cmd_value(l, "html") != NULL, json = out_mode() == OUT_JSON;

	if (csv + html + json > 1)
		return cmd_usage(l->cmd, _("one of --csv, --html and --json, not several"));
	*f = csv ? CSV : html ? HTML : json ? JSON : TEXT;
	if (lang != NULL && strcmp(lang, "ja") != 0 && strcmp(lang, "en") != 0)
		return cmd_usage(l->cmd, _("--lang is ja or en"));
	if (lang != NULL)
		i18n_language(lang);
	return 0;
}

static int make(struct report *r, struct db *db, enum form f, FILE *out)
{
	if (f == CSV)
		return report_csv(r, db, out);
	if (f == JSON)
		return report_json(r, db, out);
	if (report_collect(r, db, NULL, NULL) != 0)
		return -1;
	if (f == HTML)
		report_html(r, out);
	else
		report_text(r, out);
	return 0;
}

static int write_out(struct report *r, enum form f, const char *file, const char *path, const struct out_own *own)
{
	int code, made;
	struct db db;

	if (db_open_readonly(&db, path) != 0)
		return EXIT_SYSTEM;
	if ((code = out_file_begin(file, own)) == EXIT_OK) {
		made = make(r, &db, f, stdout) == 0;
		code = out_file_end(made);
		if (code == EXIT_OK)
			code = !made ? EXIT_SYSTEM : r->chain.bad == 0 ? EXIT_OK : EXIT_NO;
	}
	db_close(&db);
	report_free(r);
	return code;
}

static int run(const struct cmd_line *l)
{
	static struct receiver_conf conf;
	static struct report r;
	static struct out_own own;
	static char path[RECEIVER_PATH_MAX + 32];
	const char *name = cmd_value(l, "config");
	enum form f = TEXT;
	int code;

	if ((code = form(&f, l)) != 0 || (code = period(&r.period, l)) != 0)
		return code;
	if ((code = conf_kind(name)) < 0)
		return -code;
	if (code != CONF_KIND_RECEIVER) {
		log_error("%s: is a sender's; a sender cannot know what arrived, so the report is made on the receiver", name);
		return EXIT_CONFIG;
	}
	if ((code = receiver_conf_read(&conf, name, -1)) != 0 || (code = receiver_conf_peers(&conf)) != 0 ||
	    (code = ledger_keys_own(&r.keys, &conf)) != 0)
		return code;
	r.conf = &conf;
	(void)snprintf(path, sizeof(path), "%s/ledger/ledger.db", conf.state);
	out_own_receiver(&own, &conf, name);
	return write_out(&r, f, cmd_value(l, "output"), path, &own);
}

const struct cmd cmd_report = {
	.name = "report",
	.text = N_("what was delivered, missing, refused and set aside on a day or in a month"),
	.usage = N_("-c receiver.conf --day DAY|--month MONTH [--csv|--html|--json] [-o FILE] [--lang ja|en]"),
	.help = N_("For each channel: what was delivered, is missing, was refused, set aside and released (and by whom),\n"
	    "with the closings that came and the state of the ledger's chain, which is checked whole.\n"
	    "DAY is 2026-11-21, today or yesterday; MONTH is 2026-11; both of the local time zone.\n"
	    "-o FILE takes the place of an older FILE when all of it is written; a pipe is written as it comes, - is standard output.\n"),
	.exits = N_("0 made and the chain holds, 1 made but the chain does not hold, 2 usage (also: FILE is katamichi's\n"
	    "own, as its ledger or a key), 3 configuration, 4 keys,\n"
	    "5 it cannot be read or written, 6 a row cannot be read, or it is no ledger of ours"),
	.options = { CMD_CONFIG, { "day", 0, CMD_TEXT, N_("DAY"), N_("of this day"), 0 },
	    { "month", 0, CMD_TEXT, N_("MONTH"), N_("of this month"), 0 },
	    { "csv", 0, CMD_FLAG, NULL, N_("a row for each entry and each missing range, for Excel (UTF-8 with BOM)"), 0 },
	    { "html", 0, CMD_FLAG, NULL, N_("one self-contained page to print on A4"), 0 }, CMD_JSON,
	    { "output", 'o', CMD_FILE, N_("FILE"), N_("write there, not to standard output"), 0 },
	    { "lang", 0, CMD_TEXT, N_("LANG"), N_("ja or en, whatever the locale says"), 0 } },
	.run = run,
};
