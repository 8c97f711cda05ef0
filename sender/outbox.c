/* outbox.c - see outbox.h. */
#include "sender/outbox.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "codec/hex.h"
#include "host/clock.h"
#include "host/durable.h"
#include "host/erase.h"
#include "host/exits.h"
#include "host/log.h"
#include "sender/outbox_schema.h"

#define MS_PER_NS 1000000u
#define YEAR_2100 4102444800u /* seconds: a clock beyond it is not believed (PROTOCOL.md, section 3.4) */

static void set_meta(struct outbox *o, const char *key, uint64_t v)
{
	db_run(&o->db, "INSERT INTO meta(key, value) VALUES(?, ?) ON CONFLICT(key) DO UPDATE SET value = excluded.value",
	    "ti", key, (int64_t)v);
}

static uint64_t get_meta(struct outbox *o, const char *key)
{
	return (uint64_t)db_int(&o->db, "SELECT value FROM meta WHERE key = ?", "t", key);
}

/* The generation: drawn when the database is made. */
static void read_generation(struct outbox *o)
{
	sqlite3_stmt *s;

	crypto_random(o->generation, sizeof(o->generation));
	db_run(&o->db, "INSERT OR IGNORE INTO meta(key, value) VALUES('generation', ?)", "b", o->generation,
	    sizeof(o->generation));
	s = db_query(&o->db, "SELECT value FROM meta WHERE key = 'generation'", "");
	if (db_step(&o->db, s) != 1 || sqlite3_column_bytes(s, 0) != (int)sizeof(o->generation))
		log_die(EXIT_DATA, "%s: it has no generation; restore it from a backup, or move it away to begin anew",
		    o->path);
	memcpy(o->generation, sqlite3_column_blob(s, 0), sizeof(o->generation));
	db_done(s);
}

void outbox_sweep(struct outbox *o)
{
	int fd = openat(o->objects, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;
	unsigned removed = 0;

	if (d == NULL)
		log_die(durable_exit(errno), "%s: the objects cannot be listed: %s", o->path, strerror(errno));
	while ((e = readdir(d)) != NULL) {
		uint8_t id[SEAL_ID_LEN];
		if (e->d_name[0] == '.')
			continue;
		if (hex_get(id, sizeof(id), e->d_name, strlen(e->d_name)) == 0 &&
		    db_int(&o->db, "SELECT 1 FROM object WHERE id = ? AND state = 0", "b", id, sizeof(id)) == 1)
			continue;
		if (unlinkat(o->objects, e->d_name, 0) == 0)
			removed++;
	}
	closedir(d);
	if (removed > 0)
		log_info("removed %u unfinished or expired objects that an earlier run left", removed);
}

void outbox_open(struct outbox *o, const char *state, uint64_t now_ns)
{
	int dir = durable_open_dir(state);

	memset(o, 0, sizeof(*o));
	if (dir < 0 || durable_mkdir(dir, "objects", 0700) != 0 ||
	    (o->objects = openat(dir, "objects", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)) < 0)
		log_die(durable_exit(errno), "%s: cannot be used for the outbox: %s", state, strerror(errno));
	snprintf(o->path, sizeof(o->path), "%s/outbox.db", state);
	db_open(&o->db, o->path, OUTBOX_SCHEMA);
	if (fsync(dir) != 0) /* the database's own name */
		log_die(durable_exit(errno), "%s: %s", state, strerror(errno));
	close(dir);
	o->witness = -1;
	read_generation(o);
	o->started_ns = now_ns;
	o->speed = clock_test_speed();
	o->service_ms = get_meta(o, "service");
	o->counter = o->reserved = get_meta(o, "beat");
}

void outbox_close(struct outbox *o)
{
	db_close(&o->db);
	close(o->objects);
	if (o->witness >= 0)
		close(o->witness);
}

uint64_t outbox_service_ms(const struct outbox *o, uint64_t now_ns)
{
	return o->service_ms + (now_ns - o->started_ns) / MS_PER_NS * o->speed;
}

void outbox_tick(struct outbox *o, uint64_t now_ns)
{
	set_meta(o, "service", outbox_service_ms(o, now_ns));
}

void outbox_begin(struct outbox *o, const char *channel, uint64_t *number, uint8_t previous[static HASH_LEN])
{
	sqlite3_stmt *s;

	db_exec(&o->db, "BEGIN IMMEDIATE");
	*number = 1;
	memset(previous, 0, HASH_LEN);
	s = db_query(&o->db, "SELECT number, manifest FROM object WHERE generation = ? AND channel = ? "
	    "ORDER BY number DESC LIMIT 1", "bt", o->generation, sizeof(o->generation), channel);
	if (db_step(&o->db, s) != 1)
		return;
	if (sqlite3_column_bytes(s, 1) != HASH_LEN)
		log_die(EXIT_DATA, "%s: the last row of channel %s has no manifest hash", o->path, channel);
	*number = (uint64_t)sqlite3_column_int64(s, 0) + 1;
	memcpy(previous, sqlite3_column_blob(s, 1), HASH_LEN);
	db_done(s);
}

int64_t outbox_commit(struct outbox *o, const struct outbox_new *n)
{
	char layout[LAYOUT_TEXT_MAX];

	layout_write(layout, &n->layout);
	db_run(&o->db, "INSERT INTO object(id, claim, channel, generation, number, manifest, created, files, bytes, length, "
	    "layout, expires) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", "bttbibiiiiti",
	    n->id, (size_t)SEAL_ID_LEN, n->claim, n->channel, o->generation, sizeof(o->generation), (int64_t)n->number,
	    n->manifest, (size_t)HASH_LEN, (int64_t)n->created_ms, (int64_t)n->files, (int64_t)n->bytes,
	    (int64_t)n->length, layout, (int64_t)n->expires_ms);
	db_exec(&o->db, "COMMIT");
	return sqlite3_last_insert_rowid(o->db.h);
}

void outbox_rollback(struct outbox *o)
{
	db_exec(&o->db, "ROLLBACK");
}

bool outbox_has_claim(struct outbox *o, const char *claim)
{
	return db_int(&o->db, "SELECT 1 FROM object WHERE claim = ?", "t", claim) == 1;
}

uint32_t outbox_epoch(struct outbox *o, unsigned lane, uint64_t wall_s)
{
	char key[16];
	uint64_t next;

	snprintf(key, sizeof(key), "epoch %u", lane);
	next = get_meta(o, key) + 1;
	if (wall_s < YEAR_2100 && wall_s > next)
		next = wall_s;
	if (next > UINT32_MAX)
		log_die(EXIT_DATA, "%s: the epochs of lane %u are used up; both ends need new keys", o->path, lane);
	set_meta(o, key, next);
	return (uint32_t)next;
}

uint64_t outbox_counter(struct outbox *o)
{
	if (o->counter == o->reserved) {
		o->reserved += OUTBOX_COUNTER_STEP;
		set_meta(o, "beat", o->reserved);
	}
	return ++o->counter;
}

static void read_object(sqlite3_stmt *s, struct outbox_object *out)
{
	const void *id = sqlite3_column_blob(s, 1);
	const char *channel = (const char *)sqlite3_column_text(s, 2);

	memset(out, 0, sizeof(*out));
	out->row = sqlite3_column_int64(s, 0);
	if (id != NULL && sqlite3_column_bytes(s, 1) == SEAL_ID_LEN)
		memcpy(out->id, id, SEAL_ID_LEN);
	snprintf(out->channel, sizeof(out->channel), "%s", channel != NULL ? channel : "");
	out->number = (uint64_t)sqlite3_column_int64(s, 3);
	out->length = (uint64_t)sqlite3_column_int64(s, 4);
	out->rounds = (uint32_t)sqlite3_column_int64(s, 5);
	out->asked = out->rounds > 0 && sqlite3_column_int64(s, 7) == 0;
	out->layout_ok = layout_read(&out->layout, (const char *)sqlite3_column_text(s, 6)) == 0;
}

static bool first_of(struct outbox *o, sqlite3_stmt *s, outbox_skip *skip, const void *ctx, struct outbox_object *out)
{
	while (db_step(&o->db, s) == 1) {
		if (skip(ctx, sqlite3_column_int64(s, 0)))
			continue;
		read_object(s, out);
		db_done(s);
		return true;
	}
	return false;
}

bool outbox_pick(struct outbox *o, enum outbox_order order, uint64_t service_ms, outbox_skip *skip, const void *ctx,
    struct outbox_object *out)
{
	static const char *const sql[] = {
		[OUTBOX_OLDEST] = "SELECT row, id, channel, number, length, rounds, layout, due FROM object "
		    "WHERE state = 0 AND rounds = 0 AND due <= ? ORDER BY row",
		[OUTBOX_SMALLEST] = "SELECT row, id, channel, number, length, rounds, layout, due FROM object "
		    "WHERE state = 0 AND rounds = 0 AND due <= ? ORDER BY length",
		[OUTBOX_DUE] = "SELECT row, id, channel, number, length, rounds, layout, due FROM object "
		    "WHERE state = 0 AND rounds > 0 AND due <= ? ORDER BY due",
	};
	return first_of(o, db_query(&o->db, sql[order], "i", (int64_t)service_ms), skip, ctx, out);
}

bool outbox_pick_of(struct outbox *o, const char *channel, uint64_t service_ms, outbox_skip *skip, const void *ctx,
    struct outbox_object *out)
{
	return first_of(o, db_query(&o->db, "SELECT row, id, channel, number, length, rounds, layout, due FROM object "
	    "INDEXED BY object_new_channel WHERE state = 0 AND rounds = 0 AND channel = ? AND due <= ? ORDER BY row", "ti", channel,
	    (int64_t)service_ms), skip, ctx, out);
}

int outbox_object_fd(const struct outbox *o, const uint8_t id[static SEAL_ID_LEN])
{
	char name[2 * SEAL_ID_LEN + 1];

	hex_put(name, id, SEAL_ID_LEN);
	return openat(o->objects, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
}

void outbox_round(struct outbox *o, int64_t row, uint32_t rounds, uint64_t due_ms)
{
	/* A round that was sent and forgotten is sent once more. */
	db_run_lazily(&o->db, "UPDATE object SET rounds = ?, due = ? WHERE row = ?", "iii", (int64_t)rounds, (int64_t)due_ms, row);
}

void outbox_relayout(struct outbox *o, int64_t row, const struct layout *l)
{
	char text[LAYOUT_TEXT_MAX];

	layout_write(text, l);
	db_run(&o->db, "UPDATE object SET layout = ? WHERE row = ?", "ti", text, row);
}

void outbox_lost(struct outbox *o, int64_t row)
{
	db_run(&o->db, "UPDATE object SET state = ? WHERE row = ?", "ii", (int64_t)OUTBOX_LOST, row);
}

bool outbox_expire(struct outbox *o, uint64_t service_ms, outbox_skip *skip, const void *ctx)
{
	sqlite3_stmt *s = db_query(&o->db, "SELECT row, id, channel, number, length, rounds, layout, due FROM object "
	    "WHERE state = 0 AND expires <= ? ORDER BY expires", "i", (int64_t)service_ms);
	char name[2 * SEAL_ID_LEN + 1];
	struct outbox_object v;

	do {
		if (db_step(&o->db, s) != 1)
			return false;
	} while (skip(ctx, sqlite3_column_int64(s, 0)));
	read_object(s, &v);
	db_done(s);
	/* The row first: an object without a kept row is removed at the next start, too. */
	db_run(&o->db, "UPDATE object SET state = ? WHERE row = ?", "ii", (int64_t)OUTBOX_ERASED, v.row);
	hex_put(name, v.id, sizeof(v.id));
	if (erase_file(o->objects, name) != 0 && errno != ENOENT)
		log_warn("object %s: cannot be erased: %s", name, strerror(errno));
	log_info("%s %llu: erased, its retention has passed", v.channel, (unsigned long long)v.number);
	return true;
}

void outbox_bounds(struct outbox *o, const char *channel, uint64_t *newest, uint64_t *oldest)
{
	*newest = (uint64_t)db_int(&o->db, "SELECT MAX(number) FROM object WHERE generation = ? AND channel = ?", "bt",
	    o->generation, sizeof(o->generation), channel);
	*oldest = (uint64_t)db_int(&o->db, "SELECT MIN(number) FROM object WHERE generation = ? AND channel = ? AND state = 0",
	    "bt", o->generation, sizeof(o->generation), channel);
}

uint64_t outbox_kept(struct outbox *o, const char *channel)
{
	return (uint64_t)db_int(&o->db, "SELECT coalesce(sum(length), 0) FROM object WHERE state = 0 AND channel = ?", "t", channel);
}

unsigned outbox_earlier(struct outbox *o, struct outbox_stream *out, unsigned max)
{
	sqlite3_stmt *s;
	unsigned n = 0;

	if (db_int(&o->db, "SELECT 1 FROM generation LIMIT 1", "") == 0)
		return 0; /* there was one only: the whole table need not be looked through */
	s = db_query(&o->db, "SELECT generation, channel, max(number), "
	    "coalesce(min(CASE WHEN state = 0 THEN number END), 0) FROM object WHERE generation <> ? AND row >"
	    " coalesce((SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'key_row'), 0) GROUP BY generation, channel "
	    "ORDER BY max(row) DESC LIMIT ?", "bi", o->generation, sizeof(o->generation), (int64_t)max);
	while (db_step(&o->db, s) == 1) {
		const char *channel = (const char *)sqlite3_column_text(s, 1);
		if (sqlite3_column_bytes(s, 0) != SEAL_GENERATION_LEN || channel == NULL)
			continue;
		memcpy(out[n].generation, sqlite3_column_blob(s, 0), SEAL_GENERATION_LEN);
		snprintf(out[n].channel, sizeof(out[n].channel), "%s", channel);
		out[n].newest = (uint64_t)sqlite3_column_int64(s, 2);
		out[n++].oldest = (uint64_t)sqlite3_column_int64(s, 3);
	}
	return n;
}

bool outbox_next_channel(struct outbox *o, char name[static NAME_CHANNEL_MAX + 1])
{
	sqlite3_stmt *s = db_query(&o->db, "SELECT min(channel) FROM object WHERE generation = ? AND channel > ?", "bt", o->generation,
	    sizeof(o->generation), name);
	bool found = db_step(&o->db, s) == 1 && sqlite3_column_type(s, 0) != SQLITE_NULL;

	if (found)
		snprintf(name, NAME_CHANNEL_MAX + 1, "%s", db_text(s, 0));
	db_done(s);
	return found;
}
