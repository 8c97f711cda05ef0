/* report_collect.c - the one pass over the ledger (report.h). */
#include <stdlib.h>
#include <string.h>

#include "codec/hex.h"
#include "host/clock.h"
#include "host/exits.h"
#include "host/log.h"
#include "tools/progress.h"
#include "tools/report.h"
#include "tools/report_plain.h"

struct pass {
	struct report *r;
	report_told *told;
	void *arg;
	int64_t total; /* rows */
};

/* --- one row --- */
static enum report_kind kind_of(const char *event)
{
	static const struct { const char *event; enum report_kind kind; } kind[] = {
		{ "delivered", REPORT_DELIVERED }, { "fork", REPORT_FORK }, { "quarantined", REPORT_QUARANTINED },
		{ "approved", REPORT_APPROVED }, { "released", REPORT_RELEASED }, { "discarded", REPORT_DISCARDED }, { "refused", REPORT_REFUSED },
		{ "settled", REPORT_SETTLED }, { "closing", REPORT_CLOSING },
	};

	for (size_t i = 0; i < sizeof(kind) / sizeof(kind[0]); i++)
		if (strcmp(event, kind[i].event) == 0)
			return kind[i].kind;
	return REPORT_OTHER;
}

static const char *text(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s != NULL ? s : "";
}

static int64_t count(const json_t *o, const char *key)
{
	json_int_t v = json_integer_value(json_object_get(o, key));

	return v > 0 ? v : 0;
}

/* Those who decided about the quarantine: of a release a list, of the others one, who stands in the entry itself. */
static void name_operators(char *out, size_t room, const json_t *o)
{
	const json_t *list = json_object_get(o, "operators"), *one;
	size_t i, at = 0, n = json_is_array(list) ? json_array_size(list) : 1;

	out[0] = '\0';
	for (i = 0; i < n && at < room; i++) {
		one = json_is_array(list) ? json_array_get(list, i) : o;
		if (text(one, "operator")[0] == '\0')
			continue;
		at += (size_t)snprintf(out + at, room - at, "%s%s (%s)", at > 0 ? ", " : "", text(one, "operator"), text(one, "login"));
	}
	if (at >= room) /* cut, maybe within a character */
		(void)snprintf(out, room, "%zu", n);
}

/* Why: the entry's own word, or the last operator's. */
static const char *why(const json_t *o)
{
	const json_t *list = json_object_get(o, "operators");

	return text(o, "reason")[0] == '\0' && json_array_size(list) > 0 ?
	    text(json_array_get(list, json_array_size(list) - 1), "reason") : text(o, "reason");
}

static struct report_channel *channel_of(struct report *r, const char *name)
{
	for (unsigned i = 0; i < r->channels; i++)
		if (strcmp(r->channel[i].name, name) == 0)
			return &r->channel[i];
	if (r->channels == REPORT_CHANNELS_MAX)
		return &r->channel[REPORT_CHANNELS_MAX - 1];
	(void)snprintf(r->channel[r->channels].name, sizeof(r->channel[0].name), "%s", name);
	return &r->channel[r->channels++];
}

/* Sums of what a damaged ledger may say stop at the largest number. */
static void add(int64_t *sum, int64_t v)
{
	*sum = *sum > INT64_MAX - v ? INT64_MAX : *sum + v;
}

static void count_row(struct report *r, const struct report_row *row)
{
	struct report_channel *c = channel_of(r, row->channel);
	char numbers[48];

	r->rows++;
	c->count[row->kind]++;
	add(&c->settled, row->numbers);
	if (row->kind == REPORT_DELIVERED || row->kind == REPORT_FORK) {
		unsigned b = report_period_bucket(&r->period, row->at);
		add(&c->files, row->files);
		add(&c->bytes, row->bytes);
		r->bucket[b].delivered++;
		add(&r->bucket[b].bytes, row->bytes);
	}
	if (row->kind == REPORT_DELIVERED || row->kind == REPORT_OTHER)
		return; /* nothing to look at */
	if (row->kind != REPORT_CLOSING)
		r->worth++;
	json_t *list = row->kind == REPORT_CLOSING ? r->closings : r->kept;
	if (json_array_size(list) < REPORT_KEPT_MAX) {
		json_t *o = json_deep_copy(row->json);
		json_object_set_new(o, "seq", json_integer(row->seq));
		json_object_set_new(o, "shown_event", json_string(report_kind_name(row->kind)));
		json_object_set_new(o, "by", json_string(row->by));
		json_object_set_new(o, "reason", json_string(row->reason));
		json_object_set_new(o, "shown_numbers", json_string(report_numbers(numbers, row->number, row->last, "-")));
		json_array_append_new(list, o);
	}
}

/* What nearly every row of a long ledger is: of another time.  Canonical entries begin with "at". */
static int of_another_time(const struct report_period *p, const char *entry, size_t n)
{
	static const char head[] = "{\"at\":\"";
	char at[21];

	if (n < sizeof(head) - 1 + 21 || memcmp(entry, head, sizeof(head) - 1) != 0 || entry[sizeof(head) - 1 + 20] != '"')
		return 0;
	memcpy(at, entry + sizeof(head) - 1, 20);
	at[20] = '\0';
	return !report_period_has(p, at);
}

static void tell(struct pass *p, const struct report_row *row)
{
	if (!report_period_has(&p->r->period, row->at))
		return;
	count_row(p->r, row);
	if (p->told != NULL)
		p->told(p->arg, row);
}

static void take_tree(struct pass *p, int64_t seq, const char *entry, size_t n)
{
	json_t *o = json_loadb(entry, n, 0, NULL);
	char by[1024];
	enum report_kind kind;
	bool settled;

	if (!json_is_object(o)) {
		p->r->unread++;
		json_decref(o);
		return;
	}
	name_operators(by, sizeof(by), o);
	kind = kind_of(text(o, "event"));
	settled = kind == REPORT_SETTLED; /* its row is of a range */
	struct report_row row = { .seq = seq, .kind = kind, .event = text(o, "event"), .at = text(o, "at"),
		.channel = text(o, "channel"), .sender = text(o, "sender"), .generation = text(o, "generation"),
		.object = text(o, "object"), .manifest = text(o, "manifest"), .dir = text(o, "dir"), .reason = why(o),
		.by = by, .file = text(o, "file"), .number = count(o, settled ? "first" : "number"),
		.last = count(o, settled ? "last" : "number"), .numbers = settled ? count(o, "numbers") : 0, .files = count(o, "files"), .bytes = count(o, "bytes"),
		.entry = entry, .json = o };
	tell(p, &row);
	json_decref(o);
}

static void take(void *arg, int64_t seq, const char *entry, size_t n)
{
	struct pass *p = arg;
	struct report_plain plain;
	struct report_row row;

	progress_show((uint64_t)seq, (uint64_t)p->total, "%s", _("the ledger"));
	if (of_another_time(&p->r->period, entry, n))
		return;
	if (!report_plain_read(&plain, &row, entry, n)) {
		take_tree(p, seq, entry, n);
		return;
	}
	row.seq = seq;
	tell(p, &row);
}

/* --- what is missing --- */
void report_each_missing(struct db *db, const struct report_period *p, void (*each)(void *, const struct report_missing *), void *arg)
{
	sqlite3_stmt *q = db_query(db, "SELECT channel, sender, generation, first, last, since FROM gap WHERE since < ?"
	    " ORDER BY channel, sender, generation, first", "i", p->edge[p->buckets]);
	struct report_missing m;

	while (db_step(db, q) == 1) {
		(void)snprintf(m.channel, sizeof(m.channel), "%s", (const char *)sqlite3_column_text(q, 0));
		(void)snprintf(m.sender, sizeof(m.sender), "%s", (const char *)sqlite3_column_text(q, 1));
		(void)snprintf(m.generation, sizeof(m.generation), "%s", (const char *)sqlite3_column_text(q, 2));
		m.first = sqlite3_column_int64(q, 3);
		m.last = sqlite3_column_int64(q, 4);
		clock_iso(m.since, (uint64_t)sqlite3_column_int64(q, 5));
		each(arg, &m);
	}
}

static void take_missing(void *arg, const struct report_missing *m)
{
	struct report *r = arg;
	int64_t numbers = m->first > 0 && m->last >= m->first ? m->last - m->first + 1 : 0; /* of a damaged one */

	r->missing_ranges++;
	add(&r->missing_numbers, numbers);
	add(&channel_of(r, m->channel)->missing, numbers);
	if (r->missing_kept < REPORT_KEPT_MAX)
		r->missing[r->missing_kept++] = *m;
}

/* --- all of it --- */
static int by_name(const void *a, const void *b)
{
	const struct report_channel *x = a, *y = b;

	if ((x->name[0] == '\0') != (y->name[0] == '\0'))
		return x->name[0] == '\0' ? 1 : -1; /* what belongs to no channel stands last */
	return strcmp(x->name, y->name);
}

int report_collect(struct report *r, struct db *db, report_told *told, void *arg)
{
	struct pass p = { .r = r, .told = told, .arg = arg, .total = ledger_against_most(db) };

	r->kept = json_array();
	r->closings = json_array();
	if (r->kept == NULL || r->closings == NULL) {
		log_error("no memory for a report");
		return -1;
	}
	for (unsigned i = 0; i < r->conf->channels; i++)
		(void)channel_of(r, r->conf->channel[i].name);
	db_exec(db, "BEGIN"); /* rows, index and gaps of one moment */
	ledger_against_itself(db, &r->keys, r->conf->state, take, &p, &r->chain);
	if (r->chain.unread != 0) /* what is left out would be a wrong sum */
		log_die(EXIT_DATA, "%s: row %lld of the ledger cannot be read, nor perhaps those after it, so a report would count too few; put a copy"
		    " of a backup in its place (the guide to incidents says how), or compare with an export that was kept elsewhere", db->path,
		    (long long)r->chain.unread);
	report_each_missing(db, &r->period, take_missing, r);
	db_end_reading(db, "COMMIT");
	qsort(r->channel, r->channels, sizeof(r->channel[0]), by_name);
	return 0;
}

void report_free(struct report *r)
{
	json_decref(r->kept);
	json_decref(r->closings);
}

struct report_channel report_sum(const struct report *r)
{
	struct report_channel sum = { .name = "" };

	for (unsigned i = 0; i < r->channels; i++) {
		for (int k = 0; k < REPORT_KINDS; k++)
			sum.count[k] += r->channel[i].count[k];
		add(&sum.files, r->channel[i].files);
		add(&sum.bytes, r->channel[i].bytes);
		add(&sum.missing, r->channel[i].missing);
		add(&sum.settled, r->channel[i].settled);
	}
	return sum;
}

const char *report_peer(const struct report *r, const char *fingerprint)
{
	static char shown[24];
	char hex[2 * HASH_LEN + 1];

	for (unsigned i = 0; i < r->conf->peers; i++) {
		hex_put(hex, r->conf->peer[i].party.fingerprint, HASH_LEN);
		if (strcmp(hex, fingerprint) == 0)
			return r->conf->peer[i].name;
	}
	if (fingerprint[0] == '\0')
		return "";
	(void)snprintf(shown, sizeof(shown), "%.16s...", fingerprint);
	return shown;
}
