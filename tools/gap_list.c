/* gap_list.c - see gap_list.h. */
#include "tools/gap_list.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "codec/hex.h"
#include "host/clock.h"
#include "host/log.h"
#include "receiver/name_json.h"
#include "receiver/quarantine.h"
#include "tools/out.h"

struct gap { /* a row of table gap, and of its stream */
	struct db *db;
	char sender[2 * HASH_LEN + 1], channel[NAME_CHANNEL_MAX + 1], generation[33];
	uint64_t first, last;
	char since[21];
	int64_t kept_from;
	int unread;          /* of this stream something was set aside whose number nobody could read */
	int unclear;         /* of this sender something came in part, or damaged, or is held */
};

struct why {
	const char *word;
	char reason[200];
	json_int_t have, symbols;
};

const struct receiver_peer *gap_peer(const struct receiver_conf *c, const char *fingerprint)
{
	char hex[2 * HASH_LEN + 1];

	for (unsigned i = 0; i < c->peers; i++) {
		hex_put(hex, c->peer[i].party.fingerprint, HASH_LEN);
		if (strcmp(hex, fingerprint) == 0)
			return &c->peer[i];
	}
	return NULL;
}

const struct receiver_peer *gap_peer_named(const struct receiver_conf *c, const char *name)
{
	for (unsigned i = 0; i < c->peers; i++)
		if (strcmp(c->peer[i].name, name) == 0)
			return &c->peer[i];
	return NULL;
}

static const char *peer_name(const struct receiver_conf *c, const char *fingerprint)
{
	const struct receiver_peer *p = gap_peer(c, fingerprint);

	return p != NULL ? p->name : RECEIVER_NOT_PINNED;
}

/* Kept by the sender from `kept_from` on (0: nothing kept, -1: no beat has said). */
static const char *outlook(const struct gap *g, uint64_t first, uint64_t last)
{
	uint64_t oldest = (uint64_t)g->kept_from;

	if (g->kept_from < 0)
		return "not known yet";
	if (g->unread && oldest != 0 && last >= oldest)
		return "heals unless set aside";
	if (oldest != 0 && first >= oldest)
		return "heals";
	if (oldest == 0 || last < oldest)
		return "lost";
	return "heals in part";
}

static void put_range(json_t *list, const struct receiver_conf *c, const struct gap *g, uint64_t first, uint64_t last,
    const struct why *w, const char *look)
{
	json_t *o = out_made(json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:s, s:o, s:s, s:s}", "channel", g->channel, "peer", peer_name(c, g->sender),
	    "sender", g->sender, "generation", g->generation, "first", (json_int_t)first, "last", (json_int_t)last, "since", g->since, "kept_from",
	    g->kept_from < 0 ? json_null() : json_integer(g->kept_from), "outlook", look, "why", w->word));

	if (w->reason[0] != '\0')
		json_object_set_new(o, "reason", json_string(w->reason));
	if (strcmp(w->word, "in part") == 0) {
		json_object_set_new(o, "have", json_integer(w->have));
		json_object_set_new(o, "symbols", json_integer(w->symbols));
	}
	json_array_append_new(list, o);
}

/* Numbers of one reason, cut where the sender said in its last closing that it does not keep them, though older ones. */
static void put(json_t *list, const struct receiver_conf *c, const struct gap *g, uint64_t first, uint64_t last, const struct why *w)
{
	bool held = strcmp(w->word, "held") == 0;
	sqlite3_stmt *q = db_query(g->db, "SELECT max(first, ?), min(last, ?) FROM gone WHERE sender = ? AND channel = ? AND generation = ?"
	    " AND last >= ? AND first <= ? ORDER BY 1", "iitttii", (int64_t)first, (int64_t)last, g->sender, g->channel, g->generation,
	    (int64_t)first, (int64_t)last);

	while (db_step(g->db, q) == 1) {
		uint64_t from = (uint64_t)sqlite3_column_int64(q, 0), to = (uint64_t)sqlite3_column_int64(q, 1);
		if (held)
			continue; /* it is here */
		if (from > first)
			put_range(list, c, g, first, from - 1, w, outlook(g, first, from - 1));
		put_range(list, c, g, from, to, w, "lost");
		first = to + 1;
	}
	if (first <= last)
		put_range(list, c, g, first, last, w, held ? w->word : outlook(g, first, last));
}

static const json_t *find_part(const json_t *partly, const char *object)
{
	const json_t *p;
	size_t i;

	json_array_foreach(partly, i, p) {
		const char *id = json_string_value(json_object_get(p, "object"));
		if (id != NULL && strcmp(id, object) == 0)
			return p;
	}
	return NULL;
}

/* A number whose object is known from a closing. */
static struct why why_of(const struct gap_here *here, const char *object, const char *trouble)
{
	struct why w = { .word = here->cut ? "not known" : "not seen" };
	const json_t *p = find_part(here->partly, object), *held = find_part(here->held, object);

	if (held != NULL) {
		w.word = "held";
		trouble = json_string_value(json_object_get(held, "why"));
	} else if (p != NULL) {
		w.word = "in part";
		w.have = json_integer_value(json_object_get(p, "have"));
		w.symbols = json_integer_value(json_object_get(p, "symbols"));
	} else if (trouble[0] != '\0') {
		w.word = strcmp(trouble, LEDGER_GIVEN_UP) == 0 ? "given up" : "damaged";
	}
	snprintf(w.reason, sizeof(w.reason), "%s", trouble != NULL ? trouble : "");
	return w;
}

static int same_why(const struct why *a, const struct why *b)
{
	return strcmp(a->word, b->word) == 0 && strcmp(a->reason, b->reason) == 0 && strcmp(a->word, "in part") != 0;
}

/* One row of table gap, cut where the reasons differ. */
static void cut(json_t *list, struct db *db, const struct receiver_conf *c, const struct gap *g, const struct gap_here *here)
{
	const struct why otherwise = { .word = g->unclear ? "not known" : "not seen" };
	sqlite3_stmt *q = db_query(db, "SELECT c.number, c.object, t.reason FROM catalogue c LEFT JOIN trouble t ON t.id = c.object AND"
	    " t.sender = c.sender WHERE c.sender = ? AND c.channel = ? AND c.generation = ? AND c.number BETWEEN ? AND ? ORDER BY c.number",
	    "tttii", g->sender, g->channel, g->generation, (int64_t)g->first, (int64_t)g->last);
	struct why now = otherwise;
	uint64_t from = g->first, next = g->first; /* from .. next - 1 have reason `now` */

	while (db_step(db, q) == 1) {
		uint64_t number = (uint64_t)sqlite3_column_int64(q, 0);
		struct why w = why_of(here, db_text(q, 1), db_text(q, 2));
		if (number > next && !same_why(&now, &otherwise)) { /* numbers between that no closing has named */
			if (next > from)
				put(list, c, g, from, next - 1, &now);
			from = next;
			now = otherwise;
		}
		if (!same_why(&w, &now)) {
			if (number > from)
				put(list, c, g, from, number - 1, &now);
			from = number;
			now = w;
		}
		next = number + 1;
	}
	if (next <= g->last && !same_why(&now, &otherwise)) {
		if (next > from)
			put(list, c, g, from, next - 1, &now);
		from = next;
		now = otherwise;
	}
	put(list, c, g, from, g->last, &now);
}

static int any_part(const json_t *partly, const char *peer)
{
	const json_t *p;
	size_t i;

	json_array_foreach(partly, i, p) {
		const char *name = json_string_value(json_object_get(p, "peer"));
		if (name != NULL && strcmp(name, peer) == 0)
			return 1;
	}
	return 0;
}

json_t *gap_list(struct db *db, const struct receiver_conf *c, const struct gap_here *here)
{
	json_t *list = json_array();
	sqlite3_stmt *q = db_query(db, "SELECT g.channel, g.sender, g.generation, g.first, g.last, g.since, s.oldest, EXISTS(SELECT 1"
	    " FROM aside a WHERE a.sender = g.sender AND a.channel = g.channel AND a.generation = g.generation AND a.number = 0"
	    " AND a.dir <> ''), EXISTS(SELECT 1 FROM trouble t WHERE t.sender = g.sender) FROM gap g JOIN"
	    " stream s ON s.sender = g.sender AND s.channel = g.channel AND s.generation = g.generation"
	    " ORDER BY g.channel, g.sender, g.generation, g.first", "");
	struct gap g = { .db = db };

	while (db_step(db, q) == 1) {
		snprintf(g.channel, sizeof(g.channel), "%s", db_text(q, 0));
		snprintf(g.sender, sizeof(g.sender), "%s", db_text(q, 1));
		snprintf(g.generation, sizeof(g.generation), "%s", db_text(q, 2));
		g.first = (uint64_t)sqlite3_column_int64(q, 3);
		g.last = (uint64_t)sqlite3_column_int64(q, 4);
		clock_iso(g.since, (uint64_t)sqlite3_column_int64(q, 5));
		g.kept_from = sqlite3_column_int64(q, 6);
		g.unread = sqlite3_column_int(q, 7);
		g.unclear = here->cut || sqlite3_column_int(q, 8) || any_part(here->partly, peer_name(c, g.sender)) ||
		    any_part(here->held, peer_name(c, g.sender));
		cut(list, db, c, &g, here);
	}
	return list;
}

/* Files that are held back of transfers that were delivered. */
static void add_held(json_t *a, struct db *db, const struct receiver_conf *c)
{
	static char path[RECEIVER_PATH_MAX + 256];
	json_t *rows = quarantine_list(db, INT64_MAX, true), *row;
	char shown[4 * NAME_MAX_LEN + 4], reason[sizeof(shown) + 400];
	uint8_t name[NAME_MAX_LEN];
	size_t i, n;

	json_array_foreach(rows, i, row) {
		if (strcmp(json_string_value(json_object_get(row, "kept")), "file") != 0)
			continue;
		snprintf(path, sizeof(path), "%s/quarantine/%s", c->state, json_string_value(json_object_get(row, "entry")));
		json_object_set_new(row, "where", json_string(path));
		n = name_json_get(name, row, "file", "file_b64");
		snprintf(reason, sizeof(reason), "%s: %s", log_show(shown, sizeof(shown), name, n),
		    json_string_value(json_object_get(row, "reason")));
		json_object_set_new(row, "reason", json_string(reason));
		json_object_set(row, "since", json_object_get(row, "at"));
		json_object_set_new(row, "peer", json_string(peer_name(c, json_string_value(json_object_get(row, "sender")))));
		json_array_append(a, row);
	}
	json_decref(rows);
}

/* Somebody who took its directory out of the quarantine has dealt with it. */
json_t *gap_aside(struct db *db, const struct receiver_conf *c)
{
	static char path[RECEIVER_PATH_MAX + 256];
	json_t *a = json_array();
	char at[21];
	sqlite3_stmt *q = db_query(db, "SELECT channel, sender, generation, number, id, reason, dir, at FROM aside"
	    " ORDER BY channel, sender, generation, number", "");

	while (db_step(db, q) == 1) {
		const char *dir = db_text(q, 6);
		snprintf(path, sizeof(path), "%s/quarantine/%s", c->state, dir);
		if (dir[0] != '\0' && access(path, F_OK) != 0 && errno == ENOENT)
			continue;
		clock_iso(at, (uint64_t)sqlite3_column_int64(q, 7));
		json_array_append_new(a, out_made(json_pack("{s:s, s:s, s:s, s:s, s:I, s:s, s:s, s:s, s:s*}", "channel", db_text(q, 0),
		    "peer", peer_name(c, db_text(q, 1)), "sender", db_text(q, 1), "generation", db_text(q, 2), "number",
		    (json_int_t)sqlite3_column_int64(q, 3), "object", db_text(q, 4), "reason", db_text(q, 5),
		    "since", at, "where", dir[0] != '\0' ? path : NULL)));
	}
	add_held(a, db, c);
	return a;
}

/* The array of this name, empty if there is none. */
static json_t *array(const json_t *status, const char *key)
{
	json_t *a = json_incref(json_object_get(status, key));

	return json_is_array(a) ? a : json_array();
}

void gap_here_read(struct gap_here *here, const struct receiver_conf *c)
{
	char path[RECEIVER_PATH_MAX + 32];
	json_t *s;

	snprintf(path, sizeof(path), "%s/status.json", c->state);
	s = json_load_file(path, 0, NULL);
	here->partly = array(s, "partly");
	here->held = array(s, "held");
	here->cut = json_integer_value(json_object_get(json_object_get(s, "link"), "gathering")) > (json_int_t)json_array_size(here->partly);
	json_decref(s);
}

void gap_here_free(struct gap_here *here)
{
	json_decref(here->partly);
	json_decref(here->held);
}
