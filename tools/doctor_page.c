/* doctor_page.c - the result in the audit guideline's columns, to print (doctor.h, page.h). */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "host/clock.h"
#include "tools/doctor.h"
#include "tools/page.h"

/* The separation of the zone, and what the definition and the four conditions of specific communication ask for. */
enum { MANDATORY_LAST = 7 };

static const char *text(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s != NULL ? s : "";
}

static enum doctor_verdict verdict_of(const json_t *o)
{
	for (enum doctor_verdict v = DOCTOR_MET; v < DOCTOR_NOT_MET; v++)
		if (strcmp(text(o, "verdict"), doctor_verdict_word(v)) == 0)
			return v;
	return DOCTOR_NOT_MET;
}

static const char *translated(const char *s)
{
	return s[0] != '\0' ? _(s) : ""; /* gettext("") is the catalogue's head */
}

static void row(FILE *out, const json_t *o)
{
	const char *id = text(o, "id");
	int n = atoi(id + 1);
	const struct doctor_item *t = &doctor_item[n - 1];
	enum doctor_verdict v = verdict_of(o);
	const json_t *fact;
	size_t i;

	fputs("<tbody class=\"i\"><tr>", out);
	page_element(out, "td", NULL, text(o, "subject"));
	page_element(out, "td", "w", id);
	page_element(out, "td", NULL, n <= MANDATORY_LAST ? "\u25cb" : "");
	page_element(out, "td", NULL, text(o, "question"));
	page_element(out, "td", NULL, translated(t->documents));
	page_element(out, "td", NULL, translated(t->method));
	page_element(out, "td", NULL, text(o, "number"));
	page_element(out, "td", NULL, t->jis);
	page_element(out, "td", NULL, translated(t->notes));
	page_element(out, "td", NULL, text(o, "ordinance"));
	page_element(out, "td", v == DOCTOR_NOT_MET ? "w bad" : "w", doctor_verdict_name(v));
	fputs("</tr>\n<tr><td></td><td colspan=\"10\">", out);
	page_text(out, _("Basis: "));
	page_text(out, text(o, "basis"));
	json_array_foreach(json_object_get(o, "facts"), i, fact) {
		fputs("<br>", out);
		page_text(out, json_string_value(fact));
	}
	fputs("</td></tr></tbody>\n", out);
}

static void counts(FILE *out, const json_t *results)
{
	size_t i, n[DOCTOR_NOT_MET + 1] = { 0 };
	const json_t *o;
	char line[300];

	json_array_foreach(results, i, o)
		n[verdict_of(o)]++;
	(void)snprintf(line, sizeof(line), _("%zu met, %zu declared, %zu cannot be told, %zu not met"), n[DOCTOR_MET], n[DOCTOR_DECLARED],
	    n[DOCTOR_CANNOT_TELL], n[DOCTOR_NOT_MET]);
	page_element(out, "p", n[DOCTOR_NOT_MET] + n[DOCTOR_CANNOT_TELL] == 0 ? "good" : "bad", line);
}

static void about(const struct doctor *d, FILE *out)
{
	char host[256] = "", when[32], line[400];
	time_t now = (time_t)(clock_wall_ms() / 1000);
	struct tm tm;

	(void)gethostname(host, sizeof(host) - 1);
	(void)strftime(when, sizeof(when), "%Y-%m-%d %H:%M %Z", localtime_r(&now, &tm));
	(void)snprintf(line, sizeof(line), d->role == DOCTOR_SENDER ? _("Sender on %s, %s") : _("Receiver on %s, %s"), host, when);
	page_element(out, "p", "sub", line);
}

void doctor_page(const struct doctor *d, const json_t *results, FILE *out)
{
	const char *const head[] = { _("item"), _("No."), _("mandatory"), _("what is audited"), _("documents, for example"),
		_("how it is audited, for example"), _("example number"), "JIS Q 27002", _("notes"), _("ordinance"), _("result") };
	const json_t *o;
	size_t i;

	page_begin(out, _("en"), _("Self-check of the host"), 1);
	page_element(out, "h1", NULL, _("Self-check of the host"));
	about(d, out);
	counts(out, results);
	fputs("<table><thead><tr>", out);
	for (i = 0; i < sizeof(head) / sizeof(head[0]); i++)
		page_element(out, "th", NULL, head[i]);
	fputs("</tr></thead>\n", out);
	json_array_foreach(results, i, o)
		row(out, o);
	fputs("</table>\n", out);
	page_element(out, "p", "sub", _("Below each item: the basis of the requirement, and the facts of this host from which the result follows."
	    " This is no certificate. JIS Q 27002 is of 2024. The ordinance is number 80 of 2026; its item numbers (1 to 8) are a proposal unless"
	    " R17 says that they were compared with its text."));
	page_element(out, "p", "sub", _("The circle marks the separation of the zone (R1) and what the definition and the four conditions of specific"
	    " communication ask for (R2 to R7)."));
	fputs("<div class=\"sign\">", out);
	page_element(out, "div", NULL, _("made by"));
	page_element(out, "div", NULL, _("seen by"));
	fputs("</div>\n", out);
	page_end(out);
}
