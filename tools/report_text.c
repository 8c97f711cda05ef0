/* report_text.c - a report for the screen, and the words that all forms share (report.h). */
#include <inttypes.h>
#include <string.h>

#include "host/reason.h"
#include "tools/out.h"
#include "tools/report.h"

const char *report_kind_name(enum report_kind k)
{
	switch (k) {
	case REPORT_DELIVERED: return _("delivered");
	case REPORT_FORK: return _("delivered apart (fork)");
	case REPORT_QUARANTINED: return _("quarantined");
	case REPORT_APPROVED: return _("release approved");
	case REPORT_RELEASED: return _("released");
	case REPORT_DISCARDED: return _("discarded");
	case REPORT_REFUSED: return _("refused");
	case REPORT_SETTLED: return _("numbers settled");
	case REPORT_CLOSING: return _("closing");
	default: return _("other");
	}
}

const char *report_event_name(enum report_kind k, const char *event)
{
	static const char *const other[] = { N_("opened"), N_("generation"), N_("slip"), N_("clock"), N_("set-back"), N_("revoked"),
		N_("epoch-reset") };

	for (size_t i = 0; k == REPORT_OTHER && i < sizeof(other) / sizeof(other[0]); i++)
		if (strcmp(event, other[i]) == 0)
			return _(other[i]);
	return k == REPORT_OTHER ? event : report_kind_name(k);
}

const char *report_reason(const char *event, const char *reason)
{
	static const char *const decided[] = { "approved", "released", "discarded", "settled" };

	for (size_t i = 0; i < sizeof(decided) / sizeof(decided[0]); i++)
		if (strcmp(event, decided[i]) == 0)
			return reason;
	return reason[0] == '\0' ? reason : reason_show(reason);
}

const char *report_numbers(char out[static 48], int64_t first, int64_t last, const char *between)
{
	out[0] = '\0';
	if (first == last && first != 0)
		(void)snprintf(out, 48, "%" PRId64, first);
	if (first != last)
		(void)snprintf(out, 48, "%" PRId64 "%s%" PRId64, first, between, last);
	return out;
}

const char *report_chain_state(const struct report *r, char *out, size_t size)
{
	const struct ledger_finding *v = &r->chain;

	if (v->bad == 0)
		(void)snprintf(out, size, _("The chain holds: all %" PRId64 " rows of the ledger were checked, from the first on."), v->rows);
	else
		(void)snprintf(out, size, _("THE CHAIN DOES NOT HOLD: row %" PRId64 " %s. The %" PRId64 " rows before it hold; nothing is"
		    " known of what follows."), v->bad, reason_show(v->why), v->bad - 1 < v->rows ? v->bad - 1 : v->rows);
	return out;
}

/* --- counts --- */
static json_t *line(const char *name, const struct report_channel *c)
{
	return json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "channel", name, "delivered",
	    (json_int_t)c->count[REPORT_DELIVERED] + (json_int_t)c->count[REPORT_FORK], "files", (json_int_t)c->files, "bytes", (json_int_t)c->bytes,
	    "missing", (json_int_t)c->missing, "settled", (json_int_t)c->settled, "refused", (json_int_t)c->count[REPORT_REFUSED], "quarantined",
	    (json_int_t)c->count[REPORT_QUARANTINED], "released", (json_int_t)c->count[REPORT_RELEASED], "forks",
	    (json_int_t)c->count[REPORT_FORK]);
}

static enum out_style style(const json_t *row)
{
	return json_integer_value(json_object_get(row, "missing")) > 0 || json_integer_value(json_object_get(row, "forks")) > 0 ?
	    OUT_WARN : OUT_PLAIN;
}

static void counts(const struct report *r)
{
	static const struct out_column column[] = { { "channel", N_("channel"), OUT_STRING }, { "delivered", N_("delivered"), OUT_NUMBER },
		{ "files", N_("files"), OUT_NUMBER }, { "bytes", N_("bytes"), OUT_NUMBER }, { "missing", N_("missing"), OUT_NUMBER },
		{ "settled", N_("numbers settled"), OUT_NUMBER },
		{ "refused", N_("refused"), OUT_NUMBER }, { "quarantined", N_("set aside"), OUT_NUMBER },
		{ "released", N_("released"), OUT_NUMBER }, { "forks", N_("forks"), OUT_NUMBER } };
	struct report_channel sum = report_sum(r);
	json_t *rows = json_array();

	for (unsigned i = 0; i < r->channels; i++)
		json_array_append_new(rows, line(r->channel[i].name[0] != '\0' ? r->channel[i].name : _("(none)"), &r->channel[i]));
	json_array_append_new(rows, line(_("all"), &sum));
	out_table(rows, column, sizeof(column) / sizeof(column[0]), style);
	json_decref(rows);
}

/* --- what needs a look --- */
static const char *word(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s != NULL ? s : "";
}

static void notable(const struct report *r, FILE *out)
{
	static const struct out_column column[] = { { "at", N_("time"), OUT_TIME }, { "shown_event", N_("event"), OUT_STRING },
		{ "channel", N_("channel"), OUT_STRING }, { "shown_numbers", N_("number"), OUT_NUMBER }, { "file", N_("file"), OUT_STRING },
		{ "by", N_("by"), OUT_STRING }, { "shown", N_("reason"), OUT_STRING } };

	json_t *o;
	size_t i;

	json_array_foreach(r->kept, i, o)
		json_object_set_new(o, "shown", json_string(report_reason(word(o, "event"), word(o, "reason"))));
	fprintf(out, "\n%s\n", _("Refused, set aside, released, settled, delivered apart"));
	if (r->worth == 0)
		fprintf(out, "%s\n", _("none"));
	else
		out_table(r->kept, column, sizeof(column) / sizeof(column[0]), NULL);
	if (r->worth > (int64_t)json_array_size(r->kept))
		fprintf(out, _("... and %" PRId64 " more; --csv and --json list all\n"), r->worth - (int64_t)json_array_size(r->kept));
}

static void missing(const struct report *r, FILE *out)
{
	static const struct out_column column[] = { { "channel", N_("channel"), OUT_STRING }, { "first", N_("from"), OUT_NUMBER },
		{ "last", N_("to"), OUT_NUMBER }, { "peer", N_("sender"), OUT_STRING }, { "generation", N_("generation"), OUT_STRING },
		{ "since", N_("since"), OUT_TIME } };
	json_t *rows = json_array();

	fprintf(out, "\n%s\n", _("Missing now, and known to be missing when the period ended"));
	for (unsigned i = 0; i < r->missing_kept; i++) {
		const struct report_missing *m = &r->missing[i];
		json_array_append_new(rows, json_pack("{s:s, s:I, s:I, s:s, s:s, s:s}", "channel", m->channel, "first", (json_int_t)m->first,
		    "last", (json_int_t)m->last, "peer", report_peer(r, m->sender), "generation", m->generation, "since", m->since));
	}
	if (r->missing_ranges == 0)
		fprintf(out, "%s\n", _("none"));
	else
		out_table(rows, column, sizeof(column) / sizeof(column[0]), NULL);
	if (r->missing_ranges > r->missing_kept)
		fprintf(out, _("... and %" PRId64 " more ranges; --csv and --json list all\n"), r->missing_ranges - r->missing_kept);
	json_decref(rows);
}

static void closings(const struct report *r, FILE *out)
{
	const json_t *o, *c;
	size_t i, j;
	char at[24];

	fprintf(out, "\n%s\n", _("Closings: what the sender said it had numbered"));
	if (json_array_size(r->closings) == 0)
		fprintf(out, "  %s\n", _("none came"));
	json_array_foreach(r->closings, i, o) {
		fprintf(out, "  %s  %s  %s %lld\n", report_period_local(at, word(o, "at")), report_peer(r, word(o, "sender")),
		    _(word(o, "kind")), (long long)json_integer_value(json_object_get(o, "number")));
		if (word(o, "reason")[0] != '\0')
			fprintf(out, _("    not believed: %s\n"), report_reason("closing", word(o, "reason")));
		json_array_foreach(json_object_get(o, "channels"), j, c)
			fprintf(out, _("    %s %lld-%lld: %lld missing, %lld set aside, %lld with another manifest, when it came\n"),
			    word(c, "channel"), (long long)json_integer_value(json_object_get(c, "first")),
			    (long long)json_integer_value(json_object_get(c, "last")),
			    (long long)json_integer_value(json_object_get(c, "missing")),
			    (long long)json_integer_value(json_object_get(c, "aside")),
			    (long long)json_integer_value(json_object_get(c, "differs")));
	}
}

void report_text(const struct report *r, FILE *out)
{
	char zone[64], state[640];

	fprintf(out, _("Report of %s, %s\n\n"), r->period.label, report_period_zone(&r->period, zone));
	counts(r);
	notable(r, out);
	missing(r, out);
	closings(r, out);
	fprintf(out, "\n%s\n  %s\n", _("Ledger"), report_chain_state(r, state, sizeof(state)));
	fprintf(out, _("  last hash %s\n"), r->chain.hash);
	if (r->unread > 0)
		fprintf(out, _("  %" PRId64 " rows are no JSON and in no count\n"), r->unread);
}
