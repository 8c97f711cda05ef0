/* report_json.c - a report as one JSON object (report.h): the rows as the ledger has them, then the counts.
 *
 *   period {label, from, until}   rows [{seq, entry}]   missing [{channel, peer, sender, generation, first, last, since}]
 *   channels [{channel, delivered, files, bytes, missing, settled, refused, quarantined, released, discarded, forks, closings}]
 *   ledger {rows, holds, hash, bad, why}   (bad and why only where it does not hold: the first row that does not) */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tools/out.h"
#include "tools/report.h"

struct json {
	struct report *r;
	FILE *out;
	int any;
};

static void dump(FILE *out, json_t *o)
{
	(void)json_dumpf(o, out, JSON_COMPACT);
	json_decref(o);
}

/* The entry was read, so its text is JSON and may be put in as it is: to the letter what was hashed. */
static void told(void *arg, const struct report_row *w)
{
	struct json *j = arg;

	fprintf(j->out, "%s\n{\"seq\":%" PRId64 ",\"entry\":%s}", j->any++ ? "," : "", w->seq, w->entry);
}

static void told_missing(void *arg, const struct report_missing *m)
{
	struct json *j = arg;

	fputs(j->any++ ? ",\n" : "\n", j->out);
	dump(j->out, out_made(json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:s}", "channel", m->channel, "peer", report_peer(j->r, m->sender),
	    "sender", m->sender, "generation", m->generation, "first", (json_int_t)m->first, "last", (json_int_t)m->last, "since", m->since)));
}

static json_t *channel(const struct report_channel *c)
{
	return json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "channel", c->name, "delivered",
	    (json_int_t)c->count[REPORT_DELIVERED] + (json_int_t)c->count[REPORT_FORK], "files", (json_int_t)c->files, "bytes", (json_int_t)c->bytes,
	    "missing", (json_int_t)c->missing, "settled", (json_int_t)c->settled, "refused", (json_int_t)c->count[REPORT_REFUSED], "quarantined",
	    (json_int_t)c->count[REPORT_QUARANTINED], "released", (json_int_t)c->count[REPORT_RELEASED], "discarded",
	    (json_int_t)c->count[REPORT_DISCARDED], "forks", (json_int_t)c->count[REPORT_FORK], "closings",
	    (json_int_t)c->count[REPORT_CLOSING]);
}

static json_t *ledger(const struct report *r)
{
	json_t *o = json_pack("{s:I, s:b, s:s}", "rows", (json_int_t)r->chain.rows, "holds", r->chain.bad == 0, "hash", r->chain.hash);

	if (r->chain.bad != 0) {
		json_object_set_new(o, "bad", json_integer(r->chain.bad));
		json_object_set_new(o, "why", json_string(r->chain.why));
	}
	json_object_set_new(o, "unread", json_integer(r->unread));
	return o;
}

int report_json(struct report *r, struct db *db, FILE *out)
{
	struct json j = { .r = r, .out = out };

	fputs("{\"period\":", out);
	dump(out, json_pack("{s:s, s:s, s:s}", "label", r->period.label, "from", r->period.from, "until", r->period.until));
	fputs(",\"rows\":[", out);
	if (report_collect(r, db, told, &j) != 0)
		return -1;
	fputs("],\"missing\":[", out);
	j.any = 0;
	report_each_missing(db, &r->period, told_missing, &j);
	fputs("],\"channels\":[", out);
	for (unsigned i = 0; i < r->channels; i++) {
		fputs(i > 0 ? ",\n" : "\n", out);
		dump(out, channel(&r->channel[i]));
	}
	fputs("],\"ledger\":", out);
	dump(out, ledger(r));
	fputs("}\n", out);
	return 0;
}
