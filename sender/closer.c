/* closer.c - what was numbered, written down for the receiver (spool.h; PROTOCOL.md, section 12).
 *
 * Each closing is a file in STATE/closings, the folder of the reserved channel, and goes the way of every other file from
 * there: claimed, sealed, numbered, signed by its manifest, repeated.  One is written
 *   - every `list` of service time, if anything was numbered since, or a sealed object was lost: "listed";
 *   - when the date changes (local time), also if nothing was: "daily".  The clock is not believed further than that: at
 *     most one an hour of service time, and one after 25 hours in any case;
 *   - when asked for (table request): "asked".
 * The file is in the folder before the rows say so: after a crash between the two the same numbers are listed twice, which says the same. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "codec/closing.h"
#include "host/clock.h"
#include "host/durable.h"
#include "host/exits.h"
#include "host/log.h"
#include "host/reason.h"
#include "sender/spool.h"

#define HOUR_MS UINT64_C(3600000)
#define TEMPORARY "closing.tmp"

/* Days since 1970 of the local date. */
static int64_t today(void)
{
	time_t now = (time_t)(clock_wall_ms() / 1000);
	struct tm tm;

	if (localtime_r(&now, &tm) == NULL)
		return 0;
	return ((int64_t)now + tm.tm_gmtoff) / 86400;
}

static int64_t meta(struct spool *s, const char *key, int64_t otherwise)
{
	return db_int(&s->outbox.db, "SELECT coalesce((SELECT value FROM meta WHERE key = ?), ?)", "ti", key, otherwise);
}

static void set_meta(struct spool *s, const char *key, int64_t v)
{
	db_run(&s->outbox.db, "INSERT INTO meta(key, value) VALUES(?, ?) ON CONFLICT(key) DO UPDATE SET value = excluded.value", "ti",
	    key, v);
}

void closer_open(struct spool *s, uint64_t now_ns)
{
	int64_t service = (int64_t)outbox_service_ms(&s->outbox, now_ns);
	struct closer *c = &s->closer;

	c->state = durable_open_dir(s->conf.state);
	if (c->state < 0 || durable_mkdir(c->state, "closings", 0700) != 0 ||
	    (c->folder = openat(c->state, "closings", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)) < 0)
		log_die(durable_exit(errno), "%s/closings: cannot be used: %s", s->conf.state, strerror(errno));
	c->day = meta(s, "closing day", -1);
	if (c->day == -1) { /* a new outbox begins with the next day */
		c->day = today();
		set_meta(s, "closing day", c->day);
		set_meta(s, "closing day service", service);
		set_meta(s, "closing list service", service);
	}
	c->day_ms = (uint64_t)meta(s, "closing day service", service);
	c->listed_ms = (uint64_t)meta(s, "closing list service", service);
}

/* --- the text --- */
struct writing {
	struct spool *s;
	FILE *out;
	unsigned left, ranges_left;              /* entries, ranges that still fit */
	uint64_t last[SENDER_CHANNELS_MAX];      /* listed up to here, by channel */
	bool more;                               /* not everything fitted */
};

static uint64_t closed_up_to(struct spool *s, const char *channel)
{
	return (uint64_t)db_int(&s->outbox.db, "SELECT number FROM closed WHERE generation = ? AND channel = ?", "bt",
	    s->outbox.generation, sizeof(s->outbox.generation), channel);
}

static void put_entries(struct writing *w, const struct closing_channel *c)
{
	struct db *db = &w->s->outbox.db;
	sqlite3_stmt *q = db_query(db, "SELECT number, manifest, id FROM object WHERE generation = ? AND channel = ? AND "
	    "number BETWEEN ? AND ? ORDER BY number", "btii", c->generation, sizeof(c->generation), c->channel, (int64_t)c->first,
	    (int64_t)c->last);
	uint64_t next = c->first;
	char line[CLOSING_LINE_MAX] = "";
	size_t n;

	while (db_step(db, q) == 1) {
		struct closing_entry e = { .number = (uint64_t)sqlite3_column_int64(q, 0) };
		if (e.number != next++ || sqlite3_column_bytes(q, 1) != HASH_LEN || sqlite3_column_bytes(q, 2) != SEAL_ID_LEN)
			log_die(EXIT_DATA, "%s: the row of %s %" PRIu64 " is missing or damaged", db->path, c->channel, next - 1);
		memcpy(e.manifest, sqlite3_column_blob(q, 1), HASH_LEN);
		memcpy(e.object, sqlite3_column_blob(q, 2), SEAL_ID_LEN);
		n = closing_put_entry(line, &e);
		(void)fwrite(line, 1, n, w->out); /* ferror() is asked in the end */
	}
}

static void put_range(struct writing *w, uint64_t first, uint64_t last)
{
	struct closing_gone g = { first, last };
	char line[CLOSING_LINE_MAX] = "";
	size_t n;

	if (w->ranges_left == 0)
		return;
	w->ranges_left--;
	n = closing_put_gone(line, &g);
	(void)fwrite(line, 1, n, w->out); /* ferror() is asked in the end */
}

/* Beats say from which number on objects are kept: these are not, though they are newer (a lost object, a retention
 * that was made shorter).  All of them each time, since a receiver may come later. */
static void put_gone(struct writing *w, const struct closing_channel *c, uint64_t oldest)
{
	static const char from[] = " FROM object INDEXED BY object_kept WHERE state = 0 AND generation = ? AND channel = ?";
	struct db *db = &w->s->outbox.db;
	uint64_t next = oldest;
	char sql[160];
	sqlite3_stmt *q;

	snprintf(sql, sizeof(sql), "SELECT count(*)%s", from);
	if (oldest == 0 ||
	    db_int(db, sql, "bt", c->generation, sizeof(c->generation), c->channel) == (int64_t)(c->newest - oldest + 1))
		return;
	snprintf(sql, sizeof(sql), "SELECT number%s ORDER BY number", from);
	q = db_query(db, sql, "bt", c->generation, sizeof(c->generation), c->channel);
	while (db_step(db, q) == 1) {
		uint64_t kept = (uint64_t)sqlite3_column_int64(q, 0);
		if (kept > next)
			put_range(w, next, kept - 1);
		next = kept + 1;
	}
	if (next <= c->newest)
		put_range(w, next, c->newest);
}

static void put_channel(struct writing *w, unsigned i)
{
	struct spool *s = w->s;
	struct closing_channel c = { 0 };
	uint64_t oldest;
	char line[CLOSING_LINE_MAX] = "";
	size_t n;

	strcpy(c.channel, s->conf.channel[i].name);
	memcpy(c.generation, s->outbox.generation, sizeof(c.generation));
	outbox_bounds(&s->outbox, c.channel, &c.newest, &oldest);
	c.first = closed_up_to(s, c.channel) + 1;
	c.last = c.newest;
	if (c.last - c.first + 1 > w->left) {
		c.last = c.first + w->left - 1;
		w->more = true;
	}
	w->left -= (unsigned)(c.last - c.first + 1);
	w->last[i] = c.last;
	n = closing_put_channel(line, &c);
	(void)fwrite(line, 1, n, w->out); /* ferror() is asked in the end */
	put_entries(w, &c);
	put_gone(w, &c, oldest);
}

static unsigned own_channels(const struct spool *s)
{
	return s->conf.channels - 1; /* the reserved one is known by the chain of its manifests */
}

/* The text, malloc'd; NULL: out of memory. */
static char *write_text(struct writing *w, enum closing_kind kind, size_t *n)
{
	struct closing_head h = { .kind = kind };
	char *text = NULL, line[CLOSING_HEAD_MAX] = "";
	size_t len;

	w->left = CLOSING_ENTRIES_MAX;
	w->ranges_left = CLOSING_GONE_MAX;
	w->out = open_memstream(&text, n);
	if (w->out == NULL)
		return NULL;
	memcpy(h.sender, w->s->me->pub.fingerprint, HASH_LEN);
	memcpy(h.receiver, w->s->receiver.fingerprint, HASH_LEN);
	clock_iso(h.at, clock_wall_ms() / 1000);
	len = closing_put_head(line, &h);
	(void)fwrite(line, 1, len, w->out); /* ferror() is asked in the end */
	for (unsigned i = 0; i < own_channels(w->s); i++)
		put_channel(w, i);
	len = closing_put_end(line);
	(void)fwrite(line, 1, len, w->out); /* ferror() is asked in the end */
	if (ferror(w->out) != 0) {
		fclose(w->out);
		free(text);
		return NULL;
	}
	if (fclose(w->out) != 0) {
		free(text);
		return NULL;
	}
	return text;
}

/* Into the folder, whole or not at all. */
static int put_file(struct closer *c, const char *name, const char *text, size_t n)
{
	int fd, bad;

	(void)unlinkat(c->state, TEMPORARY, 0);
	(void)unlinkat(c->folder, name, 0); /* of a run that died before its row */
	fd = openat(c->state, TEMPORARY, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -1;
	bad = durable_write_all(fd, text, n) != 0 || durable_rename(fd, c->state, TEMPORARY, c->folder, name) != 0;
	if (close(fd) != 0 || bad)
		return -1;
	return 0;
}

static void record(struct writing *w, enum closing_kind kind, uint64_t service_ms)
{
	struct spool *s = w->s;
	struct db *db = &s->outbox.db;

	db_exec(db, "BEGIN IMMEDIATE");
	db_run(db, "INSERT INTO closing(at, kind) VALUES(?, ?)", "ii", (int64_t)clock_wall_ms(), (int64_t)kind);
	for (unsigned i = 0; i < own_channels(s); i++)
		db_run(db, "INSERT INTO closed(generation, channel, number) VALUES(?, ?, ?) ON CONFLICT(generation, channel) DO UPDATE "
		    "SET number = excluded.number", "bti", s->outbox.generation, sizeof(s->outbox.generation),
		    s->conf.channel[i].name, (int64_t)w->last[i]);
	set_meta(s, "closing list service", (int64_t)service_ms);
	if (kind == CLOSING_DAILY) {
		set_meta(s, "closing day", today());
		set_meta(s, "closing day service", (int64_t)service_ms);
	}
	if (!w->more) /* whichever closing came first serves */
		db_exec(db, "DELETE FROM request WHERE what = 'close'");
	db_exec(db, "COMMIT");
}

/* 0; 1: written, but more is to be listed; -1 with errno. */
static int write_closing(struct spool *s, enum closing_kind kind, uint64_t now_ns)
{
	uint64_t service_ms = outbox_service_ms(&s->outbox, now_ns);
	struct writing w = { .s = s };
	char name[64];
	size_t n = 0;
	char *text = write_text(&w, kind, &n);

	snprintf(name, sizeof(name), "closing-%06" PRIu64 ".txt",
	    (uint64_t)db_int(&s->outbox.db, "SELECT coalesce(max(row), 0) + 1 FROM closing", ""));
	if (text == NULL || put_file(&s->closer, name, text, n) != 0) {
		int error = text == NULL ? ENOMEM : errno;
		free(text);
		errno = error;
		return -1;
	}
	free(text);
	record(&w, w.more ? CLOSING_LISTED : kind, service_ms);
	s->closer.listed_ms = service_ms;
	s->closer.lost = false;
	if (kind == CLOSING_DAILY && !w.more) {
		s->closer.day = today();
		s->closer.day_ms = service_ms;
	}
	log_info("closing written (%s): %s", closing_kind_name(kind), name);
	return w.more;
}

static bool anything_new(struct spool *s)
{
	for (unsigned i = 0; i < own_channels(s); i++) {
		uint64_t newest, oldest;
		outbox_bounds(&s->outbox, s->conf.channel[i].name, &newest, &oldest);
		if (newest > closed_up_to(s, s->conf.channel[i].name))
			return true;
	}
	return false;
}

/* The closing that is due now; CLOSING_KINDS: none. */
static enum closing_kind due(struct spool *s, uint64_t service_ms)
{
	const struct closer *c = &s->closer;
	uint64_t since_day = service_ms - c->day_ms;

	if (db_int(&s->outbox.db, "SELECT 1 FROM request WHERE what = 'close'", "") == 1)
		return CLOSING_ASKED;
	if ((today() != c->day && since_day >= HOUR_MS) || since_day >= 25 * HOUR_MS)
		return CLOSING_DAILY;
	if (service_ms - c->listed_ms >= s->conf.list_ns / 1000000u && (c->lost || anything_new(s)))
		return CLOSING_LISTED;
	return CLOSING_KINDS;
}

void closer_run(struct spool *s, uint64_t now_ns)
{
	enum closing_kind kind;

	if (s->closer.not_before_ns > now_ns)
		return;
	kind = due(s, outbox_service_ms(&s->outbox, now_ns));
	if (kind == CLOSING_KINDS)
		return;
	if (write_closing(s, kind, now_ns) < 0) {
		s->closer.not_before_ns = now_ns + SPOOL_RETRY_NS;
		snprintf(s->disk_why, sizeof(s->disk_why), CLOSING_CHANNEL ": %s", reason_errno(errno));
		log_error("a closing cannot be written: %s; trying again", strerror(errno));
	}
}
