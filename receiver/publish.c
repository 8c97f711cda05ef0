/* publish.c - a verified transfer becomes visible, exactly once (publish.h). */
#include "receiver/publish.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "codec/hex.h"
#include "host/clock.h"
#include "host/durable.h"
#include "host/exits.h"
#include "host/log.h"

enum {
	SYNC_SINGLY = 24,  /* files: up to so many are synced one by one, more by one call for the file system */
	FORKS_MAX = 9,
};

int
publish_base_fd(const struct publish *p, enum publish_base b)
{
	return b == PUBLISH_INBOX ? p->inbox_fd : p->quarantine_fd;
}

static bool
out(const struct publish_item *it)
{
	return it->duplicate || it->error != 0;
}

/* Not to be published: forget what was built. */
static void
give_up(struct publish *p, struct publish_item *it, int error)
{
	it->error = error;
	if (durable_remove_tree(p->work_fd, it->work) != 0)
		log_warn("work/%s: cannot be removed: %s; the next start tries again", it->work, strerror(errno));
}

/* --- 1: sync --- */
void
publish_sync(struct publish *p, struct publish_item *it, unsigned n)
{
	uint64_t files = 0;
	int error = 0;

	for (unsigned i = 0; i < n; i++)
		files += it[i].files;
	for (unsigned i = 0; i < n; i++) {
		struct transfer *t = it[i].transfer;
		memcpy(it[i].work, t->name, sizeof(it[i].work));
		/* What is quarantined stays closed to everyone else. */
		if (it[i].base == PUBLISH_QUARANTINE || files > SYNC_SINGLY) {
			if (it[i].base == PUBLISH_INBOX && transfer_open_modes(t) != 0)
				it[i].error = t->error;
			files = SYNC_SINGLY + 1;
		} else if (transfer_sync(t) != 0) {
			it[i].error = t->error;
		}
		transfer_end(t);
	}
	if (files > SYNC_SINGLY && syncfs(p->work_fd) != 0)
		error = errno;
	/* Without this the entry of work/NAME itself might be gone after a power
	 * cut, and its absence is what says "published". */
	if (fsync(p->work_fd) != 0)
		error = errno;
	for (unsigned i = 0; i < n; i++)
		if (it[i].error != 0 || error != 0)
			give_up(p, &it[i], it[i].error != 0 ? it[i].error : error);
}

/* --- 2: intend --- */
#define STREAM_ARGS(s) (s)->sender, (s)->channel, (s)->generation

static bool
is_duplicate(struct publish *p, const struct publish_item *it)
{
	/* What was quarantined was not delivered: the same, whole and good, is no
	 * duplicate of it.  Two quarantined ones are the same if the object is. */
	if (it->base == PUBLISH_QUARANTINE && db_int(&p->ledger->db, "SELECT (SELECT count(*) FROM aside WHERE id = ?1 AND"
	    " sender = ?2 AND dir <> '') + (SELECT count(*) FROM intent WHERE object = ?1 AND sender = ?2)", "tt", it->object,
	    it->stream.sender) != 0)
		return true;
	for (int i = 0; i < 2; i++) {
		const char *q = i == 0
		    ? "SELECT count(*) FROM delivery WHERE channel = ? AND number = ? AND sender = ? AND generation = ? AND manifest = ?"
		    : "SELECT count(*) FROM intent WHERE channel = ? AND number = ? AND sender = ? AND generation = ? AND manifest = ?"
		      " AND base = 'inbox'";
		if (it->number != 0 && db_int(&p->ledger->db, q, "titt" "t", it->stream.channel, (int64_t)it->number,
		    it->stream.sender, it->stream.generation, it->manifest) != 0)
			return true;
	}
	return false;
}

/* Who has this number of this channel already?  SAME_SENDER: in whatever generation. */
enum whose { SAME_STREAM, SAME_SENDER, ANYONE };

static bool
taken(struct publish *p, const struct publish_item *it, enum whose whose)
{
	static const char *const from[] = { "SELECT count(*) FROM delivery WHERE channel = ?1 AND number = ?2",
		"SELECT count(*) FROM intent WHERE channel = ?1 AND number = ?2 AND base = 'inbox'" };
	char sql[256];

	for (int i = 0; i < 2; i++) {
		snprintf(sql, sizeof(sql), "%s AND (?5 = 2 OR sender = ?3) AND (?5 >= 1 OR generation = ?4)", from[i]);
		if (db_int(&p->ledger->db, sql, "titti", it->stream.channel, (int64_t)it->number, it->stream.sender,
		    it->stream.generation, (int64_t)whose) != 0)
			return true;
	}
	return false;
}

/* Does the chain of manifests hold here, as far as its neighbours are known? */
static bool
chain_broken(struct publish *p, const struct publish_item *it)
{
	static const char *const neighbour[] = {
		"SELECT count(*), coalesce(sum(manifest = ?), 0) FROM delivery WHERE sender = ? AND channel = ? AND generation = ?"
		" AND number = ?",
		"SELECT count(*), coalesce(sum(previous = ?), 0) FROM delivery WHERE sender = ? AND channel = ? AND generation = ?"
		" AND number = ?" };
	bool broken = it->number == 1 && strcmp(it->previous, chain_first) != 0;

	for (int i = 0; i < 2; i++) {
		sqlite3_stmt *s = db_query(&p->ledger->db, neighbour[i], "tttti", i == 0 ? it->previous : it->manifest,
		    STREAM_ARGS(&it->stream), (int64_t)it->number + (i == 0 ? -1 : 1));
		if (db_step(&p->ledger->db, s) == 1) {
			broken |= sqlite3_column_int64(s, 0) > 0 && sqlite3_column_int64(s, 1) == 0;
			db_done(s);
		}
	}
	return broken;
}

static void
choose_dir(struct publish *p, struct publish_item *it)
{
	unsigned long long n = it->number;

	if (it->base == PUBLISH_QUARANTINE) {
		if (n != 0)
			snprintf(it->dir, sizeof(it->dir), "%s-%08llu-%.8s", it->stream.channel, n, it->object);
		else
			snprintf(it->dir, sizeof(it->dir), "%s-unnumbered-%.8s", it->stream.channel, it->object);
		return;
	}
	/* The same number twice in one generation: its outbox was cloned or restored, and did not notice.  A transfer of
	 * another generation, or of another sender, is no fork, but has the place. */
	it->fork = taken(p, it, SAME_STREAM);
	if (!it->fork && taken(p, it, SAME_SENDER))
		snprintf(it->dir, sizeof(it->dir), "%s/%08llu.g-%.8s", it->stream.channel, n, it->stream.generation);
	else if (it->fork || taken(p, it, ANYONE))
		snprintf(it->dir, sizeof(it->dir), "%s/%08llu.fork-%.8s", it->stream.channel, n, it->manifest);
	else
		snprintf(it->dir, sizeof(it->dir), "%s/%08llu", it->stream.channel, n);
}

static void
write_intent(struct publish *p, struct publish_item *it)
{
	free(it->entry);
	it->entry = publish_entry(it);
	db_run(&p->ledger->db, "INSERT OR REPLACE INTO intent(work, base, dir, entry, sender, channel, generation, number, manifest,"
	    " previous, object) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", "tttttttittt", it->work,
	    it->base == PUBLISH_INBOX ? "inbox" : "quarantine", it->dir, it->entry, STREAM_ARGS(&it->stream),
	    (int64_t)it->number, it->manifest, it->previous, it->object);
}

void
publish_intend(struct publish *p, struct publish_item *it, unsigned n)
{
	db_exec(&p->ledger->db, "BEGIN IMMEDIATE");
	for (unsigned i = 0; i < n; i++) {
		if (out(&it[i]))
			continue;
		if (is_duplicate(p, &it[i])) {
			it[i].duplicate = true;
			continue;
		}
		it[i].chain_broken = it[i].base == PUBLISH_INBOX && chain_broken(p, &it[i]);
		choose_dir(p, &it[i]);
		write_intent(p, &it[i]);
	}
	db_exec(&p->ledger->db, "COMMIT");
	for (unsigned i = 0; i < n; i++)
		if (it[i].duplicate)
			give_up(p, &it[i], 0);
}

/* --- 3: rename --- */
/* Is what stands there already this very transfer?  (Published, and then the
 * database was restored from an older copy.) */
static bool
stands_there(int base, const struct publish_item *it)
{
	char path[PUBLISH_DIR_MAX + 32], hex[2 * HASH_LEN + 1];
	uint8_t buf[65536], digest[HASH_LEN];
	struct crypto_hasher *h;
	ssize_t n = -1;
	int fd;

	snprintf(path, sizeof(path), "%s/MANIFEST.json", it->dir);
	if ((fd = openat(base, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)) < 0)
		return false;
	if ((h = crypto_hasher_new()) == NULL)
		goto close_it;
	crypto_hasher_reset(h);
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		crypto_hasher_add(h, buf, (size_t)n);
	crypto_hasher_end(h, digest);
	crypto_hasher_free(h);
	hex_put(hex, digest, HASH_LEN);
close_it:
	close(fd);
	return n == 0 && strcmp(hex, it->manifest) == 0;
}

static void
rename_one(struct publish *p, struct publish_item *it)
{
	int base = publish_base_fd(p, it->base);

	for (int turn = 1; turn <= FORKS_MAX; turn++) {
		if (renameat2(p->work_fd, it->work, base, it->dir, RENAME_NOREPLACE) == 0)
			return;
		if (errno != EEXIST && errno != ENOTEMPTY)
			break;
		/* Something stands there that the ledger does not know. */
		if (it->manifest[0] != '\0' && stands_there(base, it)) {
			if (durable_remove_tree(p->work_fd, it->work) != 0)
				break;
			return;
		}
		log_warn("%s %llu: %s exists already and is something else; it is left as it is", it->stream.channel,
		    (unsigned long long)it->number, it->dir);
		if (it->base == PUBLISH_QUARANTINE)
			snprintf(it->dir, sizeof(it->dir), "%s-%08llu-%.8s-%d", it->stream.channel,
			    (unsigned long long)it->number, it->object, turn + 1);
		else
			snprintf(it->dir, sizeof(it->dir), turn == 1 ? "%s/%08llu.fork-%.8s" : "%s/%08llu.fork-%.8s-%d",
			    it->stream.channel, (unsigned long long)it->number, it->manifest, turn);
		db_exec(&p->ledger->db, "BEGIN IMMEDIATE");
		write_intent(p, it);
		db_exec(&p->ledger->db, "COMMIT");
	}
	int error = errno;
	db_run(&p->ledger->db, "DELETE FROM intent WHERE work = ?", "t", it->work);
	give_up(p, it, error);
}

static int
sync_parent(const struct publish *p, const struct publish_item *it)
{
	char parent[PUBLISH_DIR_MAX];
	char *slash;
	int fd, r, base = publish_base_fd(p, it->base);

	strcpy(parent, it->dir);
	if ((slash = strchr(parent, '/')) == NULL)
		return fsync(base);
	*slash = '\0';
	if ((fd = openat(base, parent, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)) < 0)
		return -1;
	r = fsync(fd);
	close(fd);
	return r;
}

void
publish_rename(struct publish *p, struct publish_item *it, unsigned n)
{
	const struct publish_item *last = NULL;
	unsigned done = 0;

	for (unsigned i = 0; i < n; i++)
		if (!out(&it[i])) {
			rename_one(p, &it[i]);
			done++;
		}
	if (done == 0)
		return;
	/* A parent once for each run of items of one channel. */
	for (unsigned i = 0; i < n; i++) {
		if (out(&it[i]))
			continue;
		if (last != NULL && last->base == it[i].base &&
		    (it[i].base == PUBLISH_QUARANTINE || strcmp(last->stream.channel, it[i].stream.channel) == 0))
			continue;
		last = &it[i];
		/* Renamed, but whether it stays after a power cut nobody knows:
		 * stop here; the next start looks. */
		if (sync_parent(p, last) != 0)
			log_die(durable_exit(errno), "%s: cannot be made durable: %s", last->dir, strerror(errno));
	}
	if (fsync(p->work_fd) != 0)
		log_die(durable_exit(errno), "work: cannot be made durable: %s", strerror(errno));
}

/* --- 4: record --- */
static void
index_row(struct publish *p, const struct publish_item *it, const char *at)
{
	json_t *entry = json_loads(it->entry, 0, NULL); /* of recovered ones the reason is only there */
	const char *reason = json_string_value(json_object_get(entry, "reason"));
	struct ledger_aside aside = { it->object, reason != NULL ? reason : "", it->dir, it->number };

	if (it->base == PUBLISH_QUARANTINE)
		ledger_aside(p->ledger, &it->stream, &aside, clock_wall_ms() / 1000);
	json_decref(entry);
	if (it->base == PUBLISH_QUARANTINE)
		return;
	db_run(&p->ledger->db, "INSERT OR IGNORE INTO delivery(sender, channel, generation, number, manifest, previous, dir, at, seq)"
	    " VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)", "tttittt" "ti", STREAM_ARGS(&it->stream), (int64_t)it->number,
	    it->manifest, it->previous, it->dir, at, p->ledger->rows);
	ledger_have(p->ledger, &it->stream, it->number, clock_wall_ms() / 1000);
}

void
publish_record(struct publish *p, struct publish_item *it, unsigned n)
{
	char at[21];

	clock_iso(at, clock_wall_ms() / 1000);
	db_exec(&p->ledger->db, "BEGIN IMMEDIATE");
	for (unsigned i = 0; i < n; i++) {
		if (it[i].error != 0)
			continue;
		if (!it[i].duplicate) {
			ledger_append(p->ledger, it[i].entry, strlen(it[i].entry));
			index_row(p, &it[i], at);
			db_run(&p->ledger->db, "DELETE FROM intent WHERE work = ?", "t", it[i].work);
		}
		if (it[i].base == PUBLISH_INBOX)
			ledger_not_aside(p->ledger, &it[i].stream, it[i].object, it[i].number);
		db_run(&p->ledger->db, "INSERT OR IGNORE INTO object(sender, id) VALUES(?, ?)", "tt", it[i].stream.sender,
		    it[i].object);
		db_run(&p->ledger->db, "DELETE FROM trouble WHERE id = ? AND sender = ?", "tt", it[i].object,
		    it[i].stream.sender);
	}
	db_exec(&p->ledger->db, "COMMIT");
}

void
publish_batch(struct publish *p, struct publish_item *it, unsigned n)
{
	publish_sync(p, it, n);
	publish_intend(p, it, n);
	publish_rename(p, it, n);
	publish_record(p, it, n);
	for (unsigned i = 0; i < n; i++) {
		free(it[i].entry);
		it[i].entry = NULL;
	}
}
