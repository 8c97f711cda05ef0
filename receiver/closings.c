/* closings.c - what the sender says it has numbered, compared with what is here (closings.h). */
#include "receiver/closings.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "codec/hex.h"
#include "codec/manifest.h"
#include "host/clock.h"
#include "host/log.h"
#include "host/reason.h"

enum { RANGES_SHOWN = 16 };
#define TURN_NS 200000000ull /* then the next waits for the next call: what else arrives is not to wait for a heap of them */

struct arrived { /* a delivery of the reserved channel */
	int64_t seq;
	char sender[2 * HASH_LEN + 1], manifest[2 * HASH_LEN + 1];
	char dir[160];
	uint64_t number;
};

/* --- reading it back --- */
/* A whole file below the inbox, malloc'd with a NUL behind; NULL with errno. */
static char *read_file(int inbox, const char *path, size_t max, size_t *n)
{
	int fd = openat(inbox, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	char *text = NULL;
	size_t have = 0;
	ssize_t got = 1;

	if (fd < 0)
		return NULL;
	errno = EFBIG;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || (uint64_t)st.st_size > max)
		goto close_it;
	if ((text = malloc((size_t)st.st_size + 1)) == NULL)
		goto close_it;
	while (have < (size_t)st.st_size && (got = read(fd, text + have, (size_t)st.st_size - have)) > 0)
		have += (size_t)got;
	if (have < (size_t)st.st_size) {
		free(text);
		text = NULL;
		goto close_it;
	}
	text[have] = '\0';
	*n = have;
close_it:
	close(fd);
	return text;
}

static bool hash_is(const char *text, size_t n, const uint8_t want[static HASH_LEN])
{
	uint8_t hash[HASH_LEN];

	crypto_sha256(hash, text, n);
	return memcmp(hash, want, HASH_LEN) == 0;
}

/* The one file that its manifest names, if both are what was delivered.  *why is a sentence part otherwise. */
static char *read_closing(const struct closings *c, const struct arrived *a, size_t *n, const char **why)
{
	char path[sizeof(a->dir) + 16 + NAME_MAX_LEN], *text = NULL, *bytes;
	uint8_t want[HASH_LEN];
	struct manifest m;
	size_t len = 0;

	snprintf(path, sizeof(path), "%s/MANIFEST.json", a->dir);
	bytes = read_file(c->inbox, path, RECORD_MANIFEST_MAX, &len);
	*why = "its manifest cannot be read";
	if (bytes == NULL)
		return NULL;
	*why = "its manifest is not the one that was delivered";
	if (hex_get(want, HASH_LEN, a->manifest, strlen(a->manifest)) != 0 || !hash_is(bytes, len, want) ||
	    manifest_read(&m, bytes, len, why) != 0) {
		free(bytes);
		return NULL;
	}
	free(bytes);
	*why = "it does not have just one file";
	if (m.file_count == 1) {
		snprintf(path, sizeof(path), "%s/files/%.*s", a->dir, (int)m.file[0].name_len, (const char *)m.file[0].name);
		text = read_file(c->inbox, path, CLOSING_TEXT_MAX, n);
		*why = "its file cannot be read";
	}
	if (text != NULL && !hash_is(text, *n, m.file[0].sha256)) {
		free(text);
		text = NULL;
		*why = "its file is not what was delivered";
	}
	manifest_free(&m);
	return text;
}

/* --- comparing --- */
#define KEYS "sender = ? AND channel = ? AND generation = ?"
#define KEY_ARGS(s) (s)->sender, (s)->channel, (s)->generation

enum closings_state closings_look(struct db *db, const struct ledger_stream *s, const struct closing_entry *e)
{
	char manifest[2 * HASH_LEN + 1];
	sqlite3_stmt *q;
	int64_t rows = 0, same = 0;

	hex_put(manifest, e->manifest, HASH_LEN);
	q = db_query(db, "SELECT count(*), coalesce(sum(manifest = ?), 0) FROM delivery WHERE " KEYS " AND number = ?", "ttt" "ti", manifest,
	    KEY_ARGS(s), (int64_t)e->number);
	if (db_step(db, q) == 1) {
		rows = sqlite3_column_int64(q, 0);
		same = sqlite3_column_int64(q, 1);
		db_done(q);
	}
	if (rows > 0)
		return same > 0 ? CLOSINGS_HERE : CLOSINGS_DIFFERS;
	if (db_int(db, "SELECT 1 FROM aside WHERE " KEYS " AND number = ? LIMIT 1", "ttti", KEY_ARGS(s), (int64_t)e->number) == 1)
		return CLOSINGS_ASIDE;
	return ledger_settled(db, s, e->number) ? CLOSINGS_SETTLED : CLOSINGS_MISSING;
}

struct comparing {
	struct closings *c;
	struct ledger_stream stream;
	uint64_t now_s;
	json_t *channels, *channel, *ranges;   /* of the entry; the last one's */
	uint64_t missing, aside, differs;      /* of the channel */
	uint64_t all_missing, all_differs;
	uint64_t range_first, range_last;      /* of missing numbers, being gathered; 0: none */
};

static void end_range(struct comparing *w)
{
	if (w->range_first != 0 && json_array_size(w->ranges) < RANGES_SHOWN)
		json_array_append_new(w->ranges, json_pack("[I, I]", (json_int_t)w->range_first, (json_int_t)w->range_last));
	w->range_first = 0;
}

static void end_channel(struct comparing *w)
{
	if (w->channel == NULL)
		return;
	end_range(w);
	json_object_set_new(w->channel, "missing", json_integer((json_int_t)w->missing));
	json_object_set_new(w->channel, "missing_ranges", w->ranges);
	json_object_set_new(w->channel, "aside", json_integer((json_int_t)w->aside));
	json_object_set_new(w->channel, "differs", json_integer((json_int_t)w->differs));
	json_array_append_new(w->channels, w->channel);
	w->all_missing += w->missing;
	w->all_differs += w->differs;
	w->channel = w->ranges = NULL;
	w->missing = w->aside = w->differs = 0;
}

static void begin_channel(struct comparing *w, const struct closing_channel *s)
{
	end_channel(w);
	strcpy(w->stream.channel, s->channel);
	hex_put(w->stream.generation, s->generation, 16);
	w->channel = json_pack("{s:s, s:s, s:I, s:I, s:I}", "channel", s->channel, "generation", w->stream.generation, "first",
	    (json_int_t)s->first, "last", (json_int_t)s->last, "newest", (json_int_t)s->newest);
	w->ranges = json_array();
	/* A channel that is not configured here is not ours to miss. */
	if (s->newest > 0 && receiver_conf_channel(w->c->conf, s->channel) != NULL)
		ledger_known(w->c->ledger, &w->stream, s->newest, w->now_s);
	db_run(&w->c->ledger->db, "DELETE FROM gone WHERE " KEYS, "ttt", KEY_ARGS(&w->stream)); /* each closing says all of it */
}

static void gone(struct comparing *w, const struct closing_gone *g)
{
	if (receiver_conf_channel(w->c->conf, w->stream.channel) != NULL)
		db_run(&w->c->ledger->db, "INSERT INTO gone(sender, channel, generation, first, last) VALUES(?, ?, ?, ?, ?)", "tttii",
		    KEY_ARGS(&w->stream), (int64_t)g->first, (int64_t)g->last);
}

static void lack(struct comparing *w, const struct closing_entry *e)
{
	char manifest[2 * HASH_LEN + 1], object[33];

	hex_put(manifest, e->manifest, HASH_LEN);
	hex_put(object, e->object, 16);
	db_run(&w->c->ledger->db, "INSERT OR REPLACE INTO catalogue(sender, channel, generation, number, manifest, object)"
	    " VALUES(?, ?, ?, ?, ?, ?)", "tttitt", KEY_ARGS(&w->stream), (int64_t)e->number, manifest, object);
	w->missing++;
	if (w->range_first != 0 && e->number == w->range_last + 1) {
		w->range_last++;
		return;
	}
	end_range(w);
	w->range_first = w->range_last = e->number;
}

static void compare(struct comparing *w, const struct closing_entry *e)
{
	if (receiver_conf_channel(w->c->conf, w->stream.channel) == NULL)
		return;
	switch (closings_look(&w->c->ledger->db, &w->stream, e)) {
	case CLOSINGS_HERE:
	case CLOSINGS_SETTLED:
		return;
	case CLOSINGS_ASIDE:
		w->aside++;
		return;
	case CLOSINGS_DIFFERS:
		w->differs++;
		return;
	case CLOSINGS_MISSING:
		lack(w, e);
	}
}

/* --- the record --- */
static json_t *entry_of(const struct arrived *a)
{
	char at[21];

	clock_iso(at, clock_wall_ms() / 1000);
	return json_pack("{s:s, s:s, s:s, s:I, s:s}", "at", at, "event", "closing", "sender", a->sender, "number", (json_int_t)a->number,
	    "dir", a->dir);
}

static void unreadable(struct closings *c, const struct arrived *a, const char *why)
{
	json_t *o = entry_of(a);

	log_warn("ALARM: closing %llu in %s: %s; it is not compared", (unsigned long long)a->number, a->dir, reason_show(why));
	json_object_set_new(o, "reason", json_string(why));
	db_exec(&c->ledger->db, "BEGIN IMMEDIATE");
	ledger_append_json(c->ledger, o);
	db_run(&c->ledger->db, "INSERT INTO closing(seq, sender, number, kind, at) VALUES(?, ?, ?, '', '')", "iti", a->seq, a->sender,
	    (int64_t)a->number);
	db_exec(&c->ledger->db, "COMMIT");
}

static void take(struct closings *c, const struct arrived *a, const char *text, size_t n)
{
	struct comparing w = { .c = c, .now_s = clock_wall_ms() / 1000, .channels = json_array() };
	struct db *db = &c->ledger->db;
	json_t *o = entry_of(a);
	uint8_t hash[HASH_LEN];
	char hex[2 * HASH_LEN + 1];
	struct closing r;
	enum closing_got g;

	strcpy(w.stream.sender, a->sender);
	crypto_sha256(hash, text, n);
	hex_put(hex, hash, HASH_LEN);
	db_exec(db, "BEGIN IMMEDIATE");
	g = closing_open(&r, text, n) == 0 ? closing_next(&r) : CLOSING_BAD; /* it was read through before: never bad */
	for (; g != CLOSING_END && g != CLOSING_BAD; g = closing_next(&r)) {
		if (g == CLOSING_SECTION)
			begin_channel(&w, &r.channel);
		else if (g == CLOSING_ENTRY)
			compare(&w, &r.entry);
		else
			gone(&w, &r.range);
	}
	end_channel(&w);
	json_object_set_new(o, "kind", json_string(closing_kind_name(r.head.kind)));
	json_object_set_new(o, "closed", json_string(r.head.at));
	json_object_set_new(o, "file", json_string(hex));
	json_object_set_new(o, "channels", w.channels);
	ledger_append_json(c->ledger, o);
	db_run(db, "INSERT INTO closing(seq, sender, number, kind, at, text) VALUES(?, ?, ?, ?, ?, ?)", "itittt", a->seq, a->sender,
	    (int64_t)a->number, closing_kind_name(r.head.kind), r.head.at, text);
	db_exec(db, "COMMIT");
	if (w.all_differs > 0)
		log_warn("ALARM: closing %llu (%s): %llu transfers are here with another manifest than the sender's",
		    (unsigned long long)a->number, closing_kind_name(r.head.kind), (unsigned long long)w.all_differs);
	log_about(.event = LOG_EVENT_CLOSING, .number = a->number);
	log_info("closing %llu (%s) of %s: %llu of its numbers are missing", (unsigned long long)a->number,
	    closing_kind_name(r.head.kind), r.head.at, (unsigned long long)w.all_missing);
}

/* This receiver, by whichever of its keys. */
static int is_self(const struct closings *c, const uint8_t *fingerprint)
{
	for (unsigned i = 0; i < c->selfs; i++)
		if (memcmp(c->self[i], fingerprint, HASH_LEN) == 0)
			return 1;
	return 0;
}

/* Is it of this sender, for this receiver, and whole? */
static const char *wrong(const struct closings *c, const struct arrived *a, const char *text, size_t n)
{
	struct closing r;
	char sender[2 * HASH_LEN + 1];

	if (closing_check(text, n) != 0 || closing_open(&r, text, n) != 0)
		return "its file is no closing";
	hex_put(sender, r.head.sender, HASH_LEN);
	if (strcmp(sender, a->sender) != 0)
		return "it speaks of another sender";
	if (!is_self(c, r.head.receiver))
		return "it is for another receiver";
	return NULL;
}

static int next_arrived(struct closings *c, struct arrived *a)
{
	sqlite3_stmt *q = db_query(&c->ledger->db, "SELECT seq, sender, manifest, dir, number FROM delivery WHERE channel = ? AND seq >"
	    " (SELECT coalesce(max(seq), 0) FROM closing) ORDER BY seq LIMIT 1", "t", CLOSING_CHANNEL);

	if (db_step(&c->ledger->db, q) == 0)
		return 0;
	a->seq = sqlite3_column_int64(q, 0);
	snprintf(a->sender, sizeof(a->sender), "%s", (const char *)sqlite3_column_text(q, 1));
	snprintf(a->manifest, sizeof(a->manifest), "%s", (const char *)sqlite3_column_text(q, 2));
	snprintf(a->dir, sizeof(a->dir), "%s", (const char *)sqlite3_column_text(q, 3));
	a->number = (uint64_t)sqlite3_column_int64(q, 4);
	db_done(q);
	return 1;
}

void closings_run(struct closings *c)
{
	const uint64_t begun = clock_mono_ns();
	struct arrived a;

	if (c->rows == c->ledger->rows) /* nothing was delivered since */
		return;
	while (next_arrived(c, &a)) {
		const char *why = NULL;
		size_t n = 0;
		char *text = read_closing(c, &a, &n, &why);
		if (text != NULL)
			why = wrong(c, &a, text, n);
		if (why != NULL)
			unreadable(c, &a, why);
		else
			take(c, &a, text, n);
		free(text);
		if (clock_mono_ns() - begun > TURN_NS)
			return;
	}
	c->rows = c->ledger->rows;
}
