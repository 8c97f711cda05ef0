/* report_html.c - a report as a page to print and to sign (report.h, page.h). */
#include <inttypes.h>
#include <string.h>

#include "tools/page.h"
#include "tools/report.h"

static const char *word(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s != NULL ? s : "";
}

static void head(FILE *out, const char *const name[], unsigned names, unsigned first_number)
{
	fputs("<table><thead><tr>", out);
	for (unsigned i = 0; i < names; i++)
		page_element(out, "th", i >= first_number ? "n" : NULL, name[i]);
	fputs("</tr></thead><tbody>\n", out);
}

static void number(FILE *out, int64_t v)
{
	char shown[32];

	page_element(out, "td", "n", page_number(shown, v));
}

/* --- counts --- */
static void channel(FILE *out, const char *name, const struct report_channel *c, int sum)
{
	fputs(sum ? "<tr class=\"sum\">" : "<tr>", out);
	page_element(out, "td", "w", name);
	number(out, c->count[REPORT_DELIVERED] + c->count[REPORT_FORK]);
	number(out, c->files);
	number(out, c->bytes);
	number(out, c->missing);
	number(out, c->settled);
	number(out, c->count[REPORT_REFUSED]);
	number(out, c->count[REPORT_QUARANTINED]);
	number(out, c->count[REPORT_RELEASED]);
	number(out, c->count[REPORT_FORK]);
	fputs("</tr>\n", out);
}

static void counts(const struct report *r, FILE *out)
{
	const char *const name[] = { _("channel"), _("delivered"), _("files"), _("bytes"), _("missing"), _("numbers settled"), _("refused"), _("set aside"),
		_("released"), _("forks") };
	struct report_channel sum = report_sum(r);

	page_element(out, "h2", NULL, _("By channel"));
	head(out, name, 10, 1);
	for (unsigned i = 0; i < r->channels; i++)
		channel(out, r->channel[i].name[0] != '\0' ? r->channel[i].name : _("(none)"), &r->channel[i], 0);
	channel(out, _("all"), &sum, 1);
	fputs("</tbody></table>\n", out);
}

static void charts(const struct report *r, FILE *out)
{
	struct page_bar count[REPORT_BUCKETS_MAX] = { { .value = 0 } }, size[REPORT_BUCKETS_MAX];
	int64_t bytes = 0, unit;

	for (unsigned i = 0; i < r->period.buckets; i++) {
		(void)snprintf(count[i].label, sizeof(count[i].label), "%u", r->period.is_month ? i + 1 : i);
		size[i] = count[i];
		count[i].value = r->bucket[i].delivered;
		bytes = r->bucket[i].bytes > bytes ? r->bucket[i].bytes : bytes;
	}
	page_bars(out, r->period.is_month ? _("Deliveries by day") : _("Deliveries by hour"), count, r->period.buckets);
	unit = bytes >= 10000000 ? 1000000 : bytes >= 10000 ? 1000 : 1; /* a bar of a whole number has to show */
	for (unsigned i = 0; i < r->period.buckets; i++)
		size[i].value = r->bucket[i].bytes / unit;
	page_bars(out, unit == 1 ? _("Volume, bytes") : unit == 1000 ? _("Volume, kB") : _("Volume, MB"), size, r->period.buckets);
}

/* --- lists --- */
static void none(FILE *out, const char *text)
{
	page_element(out, "p", NULL, text);
}

static void notable_row(FILE *out, const json_t *o)
{
	char at[24];

	fputs("<tr>", out);
	page_element(out, "td", "w", report_period_local(at, word(o, "at")));
	page_element(out, "td", "w", word(o, "shown_event"));
	page_element(out, "td", "w", word(o, "channel"));
	page_element(out, "td", "n", word(o, "shown_numbers"));
	page_element(out, "td", NULL, word(o, "file"));
	page_element(out, "td", NULL, word(o, "by"));
	page_element(out, "td", NULL, report_reason(word(o, "event"), word(o, "reason")));
	fputs("</tr>\n", out);
}

static void notable(const struct report *r, FILE *out)
{
	const char *const name[] = { _("time"), _("event"), _("channel"), _("number"), _("file"), _("by"), _("reason") };
	const json_t *o;
	char more[200];
	size_t i;

	page_element(out, "h2", NULL, _("Refused, set aside, released, settled, delivered apart"));
	if (r->worth == 0) {
		none(out, _("None."));
		return;
	}
	head(out, name, 7, 7);
	json_array_foreach(r->kept, i, o)
		notable_row(out, o);
	fputs("</tbody></table>\n", out);
	if (r->worth > (int64_t)json_array_size(r->kept)) {
		(void)snprintf(more, sizeof(more), _("%" PRId64 " more are not shown here; the CSV form lists all."),
		    r->worth - (int64_t)json_array_size(r->kept));
		page_element(out, "p", NULL, more);
	}
}

static void missing(const struct report *r, FILE *out)
{
	const char *const name[] = { _("channel"), _("numbers"), _("sender"), _("generation"), _("since") };
	char shown[48], since[24];

	page_element(out, "h2", NULL, _("Missing now, and known to be missing when the period ended"));
	if (r->missing_ranges == 0) {
		none(out, _("None."));
		return;
	}
	head(out, name, 5, 5);
	for (unsigned i = 0; i < r->missing_kept; i++) {
		const struct report_missing *m = &r->missing[i];
		fputs("<tr>", out);
		page_element(out, "td", NULL, m->channel);
		page_element(out, "td", "w", report_numbers(shown, m->first, m->last, " - "));
		page_element(out, "td", NULL, report_peer(r, m->sender));
		(void)snprintf(shown, sizeof(shown), "%.8s", m->generation);
		page_element(out, "td", "w", shown);
		page_element(out, "td", "w", report_period_local(since, m->since));
		fputs("</tr>\n", out);
	}
	fputs("</tbody></table>\n", out);
	if (r->missing_ranges > r->missing_kept) {
		char more[200];
		(void)snprintf(more, sizeof(more), _("%" PRId64 " more ranges are not shown here; the CSV form lists all."),
		    r->missing_ranges - r->missing_kept);
		page_element(out, "p", NULL, more);
	}
}

static void closing_channel(FILE *out, const json_t *c)
{
	char shown[64];

	page_element(out, "td", NULL, word(c, "channel"));
	(void)snprintf(shown, sizeof(shown), "%lld - %lld", (long long)json_integer_value(json_object_get(c, "first")),
	    (long long)json_integer_value(json_object_get(c, "last")));
	page_element(out, "td", "w", shown);
	number(out, json_integer_value(json_object_get(c, "missing")));
	number(out, json_integer_value(json_object_get(c, "aside")));
	number(out, json_integer_value(json_object_get(c, "differs")));
}

static void closing(const struct report *r, FILE *out, const json_t *o)
{
	const json_t *channels = json_object_get(o, "channels"), *c;
	size_t i, n = json_array_size(channels);
	char at[24], rows[48];

	(void)snprintf(rows, sizeof(rows), "<td class=\"w\" rowspan=\"%zu\">", n > 0 ? n : 1);
	fputs("<tr>", out);
	fputs(rows, out);
	page_text(out, report_period_local(at, word(o, "at")));
	fprintf(out, "</td>%s", rows);
	page_text(out, report_peer(r, word(o, "sender")));
	fputs("</td>", out);
	if (n == 0) {
		fputs("<td colspan=\"5\">", out);
		page_text(out, report_reason("closing", word(o, "reason")));
		fputs("</td>", out);
	}
	json_array_foreach(channels, i, c) {
		if (i > 0)
			fputs("</tr><tr>", out);
		closing_channel(out, c);
	}
	fputs("</tr>\n", out);
}

static void closings(const struct report *r, FILE *out)
{
	const char *const name[] = { _("came"), _("sender"), _("channel"), _("numbers"), _("missing"), _("set aside"), _("another manifest") };
	const json_t *o;
	size_t i;

	page_element(out, "h2", NULL, _("Closings: what the sender said it had numbered, and what was not here when it came"));
	if (json_array_size(r->closings) == 0) {
		none(out, _("None came in this period."));
		return;
	}
	head(out, name, 7, 4);
	json_array_foreach(r->closings, i, o)
		closing(r, out, o);
	fputs("</tbody></table>\n", out);
}

/* --- the page --- */
static void ledger(const struct report *r, FILE *out)
{
	char state[640];

	page_element(out, "h2", NULL, _("Ledger"));
	page_element(out, "p", r->chain.bad == 0 ? "good" : "bad", report_chain_state(r, state, sizeof(state)));
	fputs("<p>", out);
	page_text(out, _("Last hash:"));
	fprintf(out, " <code>%s</code></p>\n", r->chain.hash);
	page_element(out, "p", "sub", _("Note this hash elsewhere: rows cut off at the end of the ledger are found only by comparing it."));
	if (r->unread > 0) {
		(void)snprintf(state, sizeof(state), _("%" PRId64 " rows are no JSON and in no count."), r->unread);
		page_element(out, "p", "bad", state);
	}
}

void report_html(const struct report *r, FILE *out)
{
	char title[64], zone[64], sub[160], from[24], until[24];

	(void)snprintf(title, sizeof(title), r->period.is_month ? _("Monthly report of deliveries, %s") : _("Daily report of deliveries, %s"),
	    r->period.label);
	page_begin(out, _("en"), title, 0);
	page_element(out, "h1", NULL, title);
	(void)snprintf(sub, sizeof(sub), _("From %s to before %s, %s"), report_period_local(from, r->period.from),
	    report_period_local(until, r->period.until), report_period_zone(&r->period, zone));
	page_element(out, "p", "sub", sub);
	counts(r, out);
	charts(r, out);
	missing(r, out);
	notable(r, out);
	closings(r, out);
	ledger(r, out);
	fputs("<div class=\"sign\">", out);
	page_element(out, "div", NULL, _("made by"));
	page_element(out, "div", NULL, _("seen by"));
	fputs("</div>\n", out);
	page_end(out);
}
