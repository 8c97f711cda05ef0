/* ledger.c - the receiver's record (ledger.h). */
#include "receiver/ledger.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/clock.h"
#include "host/exits.h"
#include "host/log.h"
#include "receiver/checkpoints.h"
#include "receiver/closings.h"
#include "receiver/peers_ask.h"
#include "receiver/quarantine.h"
#include "receiver/settle.h"
#include "receiver/slips.h"

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS ledger(seq INTEGER PRIMARY KEY, entry TEXT NOT NULL, hash TEXT NOT NULL);"
    "CREATE TABLE IF NOT EXISTS delivery(sender TEXT NOT NULL, channel TEXT NOT NULL, generation TEXT NOT NULL,"
    " number INTEGER NOT NULL, manifest TEXT NOT NULL, previous TEXT NOT NULL, dir TEXT NOT NULL, at TEXT NOT NULL,"
    " seq INTEGER NOT NULL REFERENCES ledger(seq),"
    " PRIMARY KEY(channel, number, sender, generation, manifest)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS fork(seq INTEGER PRIMARY KEY REFERENCES ledger(seq), at TEXT NOT NULL, dir TEXT NOT NULL);"
    "CREATE TABLE IF NOT EXISTS incident(event TEXT PRIMARY KEY, at TEXT NOT NULL, what TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS object(age INTEGER PRIMARY KEY, sender TEXT NOT NULL, id TEXT NOT NULL,"
    " UNIQUE(id, sender));"
    "CREATE TABLE IF NOT EXISTS intent(work TEXT PRIMARY KEY, base TEXT NOT NULL, dir TEXT NOT NULL,"
    " entry TEXT NOT NULL, sender TEXT NOT NULL, channel TEXT NOT NULL, generation TEXT NOT NULL,"
    " number INTEGER NOT NULL, manifest TEXT NOT NULL, previous TEXT NOT NULL, object TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS stream(sender TEXT NOT NULL, channel TEXT NOT NULL, generation TEXT NOT NULL,"
    " known INTEGER NOT NULL, oldest INTEGER NOT NULL, delivered INTEGER NOT NULL, delivered_at INTEGER NOT NULL,"
    " PRIMARY KEY(sender, channel, generation)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS gap(sender TEXT NOT NULL, channel TEXT NOT NULL, generation TEXT NOT NULL,"
    " first INTEGER NOT NULL, last INTEGER NOT NULL, since INTEGER NOT NULL,"
    " PRIMARY KEY(sender, channel, generation, first)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS aside(id TEXT NOT NULL, sender TEXT NOT NULL, channel TEXT NOT NULL,"
    " generation TEXT NOT NULL, number INTEGER NOT NULL, reason TEXT NOT NULL, dir TEXT NOT NULL, at INTEGER NOT NULL,"
    " PRIMARY KEY(id, sender)) WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS aside_number ON aside(sender, channel, generation, number);"
    "CREATE TABLE IF NOT EXISTS trouble(id TEXT NOT NULL, sender TEXT NOT NULL, reason TEXT NOT NULL,"
    " times INTEGER NOT NULL, at INTEGER NOT NULL, PRIMARY KEY(id, sender)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS catalogue(sender TEXT NOT NULL, channel TEXT NOT NULL, generation TEXT NOT NULL,"
    " number INTEGER NOT NULL, manifest TEXT NOT NULL, object TEXT NOT NULL,"
    " PRIMARY KEY(sender, channel, generation, number)) WITHOUT ROWID;"
    CLOSINGS_SCHEMA
    SLIPS_SCHEMA
    QUARANTINE_SCHEMA
    CHECKPOINTS_SCHEMA
    PEERS_ASK_SCHEMA
    SETTLE_SCHEMA;

#define KEYS "sender = ? AND channel = ? AND generation = ?"
#define KEY_ARGS(s) (s)->sender, (s)->channel, (s)->generation

static void last_row(struct ledger *l)
{
	sqlite3_stmt *s = db_query(&l->db, "SELECT seq, hash FROM ledger ORDER BY seq DESC LIMIT 1", "");

	l->rows = 0;
	strcpy(l->hash, chain_first);
	if (db_step(&l->db, s) == 0)
		return;
	l->rows = sqlite3_column_int64(s, 0);
	if (sqlite3_column_bytes(s, 1) != CHAIN_HEX_LEN)
		log_die(EXIT_DATA, "%s: row %lld of the ledger has no hash; run `katamichi ledger verify`", l->db.path,
		    (long long)l->rows);
	memcpy(l->hash, sqlite3_column_text(s, 1), CHAIN_HEX_LEN);
	db_done(s);
}

void ledger_open(struct ledger *l, const char *path)
{
	char entry[80], at[21];
	int n;

	db_open(&l->db, path, schema);
	last_row(l);
	if (l->rows != 0)
		return;
	clock_iso(at, clock_wall_ms() / 1000);
	n = snprintf(entry, sizeof(entry), "{\"at\":\"%s\",\"event\":\"opened\"}", at);
	db_exec(&l->db, "BEGIN IMMEDIATE");
	ledger_append(l, entry, (size_t)n);
	db_exec(&l->db, "COMMIT");
}

void ledger_close(struct ledger *l)
{
	db_close(&l->db);
}

void ledger_append(struct ledger *l, const char *entry, size_t n)
{
	char hash[CHAIN_HEX_LEN + 1];

	chain_next(hash, l->hash, entry, n);
	l->rows++;
	db_run(&l->db, "INSERT INTO ledger(seq, entry, hash) VALUES(?, ?, ?)", "itt", l->rows, entry, hash);
	memcpy(l->hash, hash, sizeof(hash));
}

void ledger_append_json(struct ledger *l, json_t *entry)
{
	char *text = json_dumps(entry, JSON_COMPACT | JSON_SORT_KEYS);

	json_decref(entry);
	if (text == NULL)
		log_die(EXIT_SYSTEM, "no memory for a ledger entry");
	ledger_append(l, text, strlen(text));
	free(text);
}

void ledger_incident(struct ledger *l, const char *event, const char *at, const char *what)
{
	db_run(&l->db, "INSERT INTO incident(event, at, what) VALUES(?, ?, ?) ON CONFLICT(event) DO UPDATE SET at = excluded.at,"
	    " what = excluded.what", "ttt", event, at, what);
}

/* --- streams and gaps --- */
static void add_gap(struct ledger *l, const struct ledger_stream *s, uint64_t first, uint64_t last, uint64_t since)
{
	if (first <= last)
		db_run(&l->db, "INSERT INTO gap(sender, channel, generation, first, last, since) VALUES(?, ?, ?, ?, ?, ?)",
		    "tttiii", KEY_ARGS(s), (int64_t)first, (int64_t)last, (int64_t)since);
}

/* The stream was heard of for the first time.  Is there an older one of this sender and channel? */
static void new_generation(struct ledger *l, const struct ledger_stream *s, uint64_t now_s)
{
	sqlite3_stmt *q = db_query(&l->db, "SELECT generation FROM stream WHERE sender = ? AND channel = ? AND generation <> ? AND"
	    " (delivered > 0 OR known > 0) ORDER BY delivered_at DESC LIMIT 1", "ttt", KEY_ARGS(s));
	char at[21], entry[400], previous[2 * 16 + 1];
	int n;

	if (db_step(&l->db, q) == 0)
		return;
	snprintf(previous, sizeof(previous), "%s", (const char *)sqlite3_column_text(q, 0));
	db_done(q);
	clock_iso(at, now_s);
	/* Hexadecimal digits and a channel name: nothing in it has to be escaped. */
	n = snprintf(entry, sizeof(entry), "{\"at\":\"%s\",\"channel\":\"%s\",\"event\":\"generation\",\"generation\":\"%s\","
	    "\"previous\":\"%s\",\"sender\":\"%s\"}", at, s->channel, s->generation, previous, s->sender);
	ledger_append(l, entry, (size_t)n);
	ledger_incident(l, "generation", at, s->channel);
	log_about(.event = LOG_EVENT_GENERATION, .channel = s->channel);
	log_warn("ALARM: channel %s: sender %.16s begins a new generation, %.8s after %.8s: its outbox was restored, moved or set up"
	    " anew; its numbers begin with 1 again", s->channel, s->sender, s->generation, previous);
}

/* Numbers up to newest exist now; those never heard of before are missing, except `had`. */
static void extend(struct ledger *l, const struct ledger_stream *s, uint64_t newest, uint64_t had, uint64_t now_s)
{
	uint64_t known;

	db_run(&l->db, "INSERT OR IGNORE INTO stream(sender, channel, generation, known, oldest, delivered, delivered_at)"
	    " VALUES(?, ?, ?, 0, -1, 0, 0)", "ttt", KEY_ARGS(s));
	if (sqlite3_changes(l->db.h) == 1)
		new_generation(l, s, now_s);
	known = (uint64_t)db_int(&l->db, "SELECT known FROM stream WHERE " KEYS, "ttt", KEY_ARGS(s));
	if (newest <= known)
		return;
	if (had == newest)
		add_gap(l, s, known + 1, newest - 1, now_s);
	else
		add_gap(l, s, known + 1, newest, now_s);
	/* A beat that said that nothing is kept did not know these. */
	db_run(&l->db, "UPDATE stream SET known = ?, oldest = CASE oldest WHEN 0 THEN -1 ELSE oldest END WHERE " KEYS, "ittt", (int64_t)newest,
	    KEY_ARGS(s));
}

/* A stream that only beats have told of, one too many? */
static int too_many(struct ledger *l, const struct ledger_stream *s)
{
	uint64_t now = clock_mono_ns();

	if (db_int(&l->db, "SELECT count(*) FROM stream WHERE sender = ? AND channel = ? AND delivered = 0", "tt", s->sender,
	    s->channel) < LEDGER_GENERATIONS)
		return 0;
	if (l->generations_log_ns == 0 || now - l->generations_log_ns > 600000000000u) {
		l->generations_log_ns = now;
		log_warn("ALARM: channel %s: beats of sender %.16s tell of more than %d generations without a delivery; generation"
		    " %.8s and further ones are ignored until they deliver", s->channel, s->sender, LEDGER_GENERATIONS, s->generation);
	}
	return 1;
}

void ledger_seen(struct ledger *l, const struct ledger_stream *s, uint64_t newest, uint64_t oldest, uint64_t now_s)
{
	sqlite3_stmt *q = db_query(&l->db, "SELECT known, oldest FROM stream WHERE " KEYS, "ttt", KEY_ARGS(s));
	int same = 0, known = 0;

	/* An authenticated sender is believed about numbers within reason:
	 * SQLite's integers and the sum below have 63 bits. */
	if (newest > INT64_MAX / 2 || oldest > INT64_MAX / 2) {
		db_done(q);
		return;
	}
	if (db_step(&l->db, q) == 1) {
		known = 1;
		uint64_t upto = (uint64_t)sqlite3_column_int64(q, 0);
		same = upto >= newest && (sqlite3_column_int64(q, 1) == (int64_t)oldest || (oldest == 0 && upto > newest));
		db_done(q);
	}
	if (same || (!known && too_many(l, s))) /* same: nearly every beat */
		return;
	db_exec(&l->db, "BEGIN IMMEDIATE");
	extend(l, s, newest, 0, now_s);
	db_run(&l->db, "UPDATE stream SET oldest = ? WHERE " KEYS, "ittt", (int64_t)oldest, KEY_ARGS(s));
	db_exec(&l->db, "COMMIT");
}

void ledger_known(struct ledger *l, const struct ledger_stream *s, uint64_t newest, uint64_t now_s)
{
	extend(l, s, newest, 0, now_s);
}

/* Take one number out of the gap that it lies in. */
static void split_gap(struct ledger *l, const struct ledger_stream *s, uint64_t number)
{
	sqlite3_stmt *q = db_query(&l->db, "SELECT first, last, since FROM gap WHERE " KEYS
	    " AND first <= ? ORDER BY first DESC LIMIT 1", "ttti", KEY_ARGS(s), (int64_t)number);
	uint64_t first, last, since;

	if (db_step(&l->db, q) == 0)
		return;
	first = (uint64_t)sqlite3_column_int64(q, 0);
	last = (uint64_t)sqlite3_column_int64(q, 1);
	since = (uint64_t)sqlite3_column_int64(q, 2);
	db_done(q);
	if (number > last)
		return;
	db_run(&l->db, "DELETE FROM gap WHERE " KEYS " AND first = ?", "ttti", KEY_ARGS(s), (int64_t)first);
	add_gap(l, s, first, number - 1, since);
	add_gap(l, s, number + 1, last, since);
}

void ledger_have(struct ledger *l, const struct ledger_stream *s, uint64_t number, uint64_t now_s)
{
	extend(l, s, number, number, now_s);
	split_gap(l, s, number);
	db_run(&l->db, "DELETE FROM catalogue WHERE " KEYS " AND number = ?", "ttti", KEY_ARGS(s), (int64_t)number);
	db_run(&l->db, "UPDATE stream SET delivered = max(delivered, ?), delivered_at = ? WHERE " KEYS, "iittt",
	    (int64_t)number, (int64_t)now_s, KEY_ARGS(s));
}

bool ledger_aside(struct ledger *l, const struct ledger_stream *s, const struct ledger_aside *a, uint64_t now_s)
{
	if (a->dir[0] == '\0' && a->number != 0 && ledger_settled(&l->db, s, a->number))
		return false;
	if (a->number != 0) {
		extend(l, s, a->number, a->number, now_s);
		split_gap(l, s, a->number);
	}
	db_run(&l->db, "INSERT INTO aside(id, sender, channel, generation, number, reason, dir, at) VALUES(?, ?, ?, ?, ?, ?, ?, ?)"
	    " ON CONFLICT(id, sender) DO UPDATE SET number = excluded.number, reason = excluded.reason, dir = excluded.dir",
	    "tttt" "itti", a->object, KEY_ARGS(s), (int64_t)a->number, a->reason, a->dir, (int64_t)now_s);
	return true;
}

void ledger_not_aside(struct ledger *l, const struct ledger_stream *s, const char *object, uint64_t number)
{
	db_run(&l->db, "DELETE FROM aside WHERE id = ? AND sender = ?", "tt", object, s->sender);
	if (number != 0)
		db_run(&l->db, "DELETE FROM aside WHERE " KEYS " AND number = ?", "ttti", KEY_ARGS(s), (int64_t)number);
}

/* To the first and the last of these numbers that somebody waits for; false: there is none. */
static bool narrow(struct ledger *l, const struct ledger_stream *s, uint64_t *first, uint64_t *last)
{
	sqlite3_stmt *q = db_query(&l->db, "SELECT min(first), max(last) FROM (SELECT first, last FROM gap WHERE " KEYS " AND last >= ? AND"
	    " first <= ? UNION ALL SELECT number, number FROM aside WHERE " KEYS " AND dir = '' AND number BETWEEN ? AND ?)", "tttii" "tttii",
	    KEY_ARGS(s), (int64_t)*first, (int64_t)*last, KEY_ARGS(s), (int64_t)*first, (int64_t)*last);
	uint64_t low, high;
	bool any;

	if (db_step(&l->db, q) != 1)
		return false;
	any = sqlite3_column_type(q, 0) != SQLITE_NULL;
	low = (uint64_t)sqlite3_column_int64(q, 0);
	high = (uint64_t)sqlite3_column_int64(q, 1);
	db_done(q);
	if (low > *first)
		*first = low;
	if (high < *last)
		*last = high;
	return any;
}

uint64_t ledger_settle(struct ledger *l, const struct ledger_stream *s, uint64_t *first, uint64_t *last)
{
	uint64_t numbers = 0;
	sqlite3_stmt *q;

	if (*first > *last || !narrow(l, s, first, last))
		return 0;
	/* One gap at a time: what is outside goes back in. */
	while (db_step(&l->db, q = db_query(&l->db, "SELECT first, last, since FROM gap WHERE " KEYS " AND last >= ? AND first <= ? LIMIT 1", "tttii", KEY_ARGS(s),
	    (int64_t)*first, (int64_t)*last)) == 1) {
		uint64_t from = (uint64_t)sqlite3_column_int64(q, 0), to = (uint64_t)sqlite3_column_int64(q, 1);
		uint64_t since = (uint64_t)sqlite3_column_int64(q, 2);
		db_done(q);
		db_run(&l->db, "DELETE FROM gap WHERE " KEYS " AND first = ?", "ttti", KEY_ARGS(s), (int64_t)from);
		if (from < *first)
			add_gap(l, s, from, *first - 1, since);
		add_gap(l, s, *last + 1, to, since);
		numbers += (to < *last ? to : *last) - (from > *first ? from : *first) + 1;
	}
	db_run(&l->db, "DELETE FROM catalogue WHERE " KEYS " AND number BETWEEN ? AND ?", "tttii", KEY_ARGS(s), (int64_t)*first, (int64_t)*last);
	db_run(&l->db, "DELETE FROM aside WHERE " KEYS " AND dir = '' AND number BETWEEN ? AND ?", "tttii", KEY_ARGS(s), (int64_t)*first,
	    (int64_t)*last);
	return numbers + (uint64_t)sqlite3_changes(l->db.h);
}

bool ledger_settled(struct db *db, const struct ledger_stream *s, uint64_t number)
{
	int64_t n = (int64_t)number;

	return db_int(db, "SELECT known FROM stream WHERE " KEYS, "ttt", KEY_ARGS(s)) >= n &&
	    db_int(db, "SELECT 1 FROM gap WHERE " KEYS " AND first <= ? AND last >= ? LIMIT 1", "tttii", KEY_ARGS(s), n, n) == 0 &&
	    db_int(db, "SELECT 1 FROM aside WHERE " KEYS " AND number = ? LIMIT 1", "ttti", KEY_ARGS(s), n) == 0 &&
	    db_int(db, "SELECT 1 FROM delivery WHERE " KEYS " AND number = ? LIMIT 1", "ttti", KEY_ARGS(s), n) == 0;
}
