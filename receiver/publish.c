/* publish.c - a verified transfer becomes visible, exactly once (publish.h). */
#include "receiver/publish_private.h"

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
	SYNC_SINGLY = 48,  /* files: up to so many are synced each for itself, more by one call for the file system */
};

int publish_base_fd(const struct publish *p, enum publish_base b)
{
	return b == PUBLISH_QUARANTINE ? p->quarantine_fd : p->inbox_fd;
}

int publish_source_fd(const struct publish *p, enum publish_base b)
{
	return b == PUBLISH_RELEASE ? p->quarantine_fd : p->work_fd;
}

bool publish_out(const struct publish_item *it)
{
	return it->duplicate || it->error != 0;
}

void publish_give_up(struct publish *p, struct publish_item *it, int error)
{
	it->error = error;
	if (it->base == PUBLISH_RELEASE)
		return;
	if (durable_remove_tree(p->work_fd, it->work) != 0)
		log_warn("work/%s: cannot be removed: %s; the next start tries again", it->work, strerror(errno));
}

/* --- 1: sync --- */
/* Many files by one call for the file system, a few each for itself: what others write there is not waited for. */
static bool by_one_call(const struct publish_item *it, unsigned n)
{
	uint64_t files = 0;

	for (unsigned i = 0; i < n; i++)
		files += it[i].base == PUBLISH_QUARANTINE || it[i].parts != 0 ? SYNC_SINGLY + 1 : it[i].files;
	return files > SYNC_SINGLY;
}

void publish_sync(struct publish *p, struct publish_item *it, unsigned n)
{
	bool one_call = by_one_call(it, n);
	int error = 0;

	p->sync_error = 0;
	for (unsigned i = 0; i < n; i++) {
		struct transfer *t = it[i].transfer;
		memcpy(it[i].work, t->name, sizeof(t->name));
		if (!one_call)
			transfer_sync(t, p->syncs);
		else if (it[i].base == PUBLISH_INBOX && transfer_open_modes(t) != 0) /* what is quarantined stays closed to everyone else */
			it[i].error = t->error;
	}
	if (one_call && syncfs(p->work_fd) != 0)
		error = p->sync_error = errno;
	/* Without this the entry of work/NAME itself might be gone after a power
	 * cut, and its absence is what says "published". */
	syncs_add(p->syncs, p->work_fd, false, &error);
	syncs_wait(p->syncs);
	for (unsigned i = 0; i < n; i++) {
		if (!one_call)
			it[i].error = it[i].transfer->error;
		transfer_end(it[i].transfer);
		if (it[i].error != 0 || error != 0)
			publish_give_up(p, &it[i], it[i].error != 0 ? it[i].error : error);
	}
}

/* --- 2: intend --- */
#define STREAM_ARGS(s) (s)->sender, (s)->channel, (s)->generation

static bool is_duplicate(struct publish *p, const struct publish_item *it)
{
	if (it->kept_file) /* of a transfer that is there */
		return false;
	/* What was quarantined was not delivered: the same, whole and good, is no
	 * duplicate of it.  Two quarantined ones are the same if the object is. */
	if (it->base == PUBLISH_QUARANTINE && db_int(&p->ledger->db, "SELECT (SELECT count(*) FROM quarantine WHERE object = ?1 AND"
	    " sender = ?2 AND kept <> 'file') + (SELECT count(*) FROM intent WHERE object = ?1 AND sender = ?2)", "tt", it->object,
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

/* Who has this number of this channel already? */
enum whose { SAME_STREAM, ANYONE };

static bool taken(struct publish *p, const struct publish_item *it, enum whose whose)
{
	static const char *const from[] = { "SELECT count(*) FROM delivery WHERE channel = ?1 AND number = ?2",
		"SELECT count(*) FROM intent WHERE channel = ?1 AND number = ?2 AND base = 'inbox'" };
	char sql[256];

	for (int i = 0; i < 2; i++) {
		snprintf(sql, sizeof(sql), "%s AND (?5 = 1 OR (sender = ?3 AND generation = ?4))", from[i]);
		if (db_int(&p->ledger->db, sql, "titti", it->stream.channel, (int64_t)it->number, it->stream.sender,
		    it->stream.generation, (int64_t)whose) != 0)
			return true;
	}
	return false;
}

/* Does the chain of manifests hold here, as far as its neighbours are known? */
static bool chain_broken(struct publish *p, const struct publish_item *it)
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

static void choose_dir(struct publish *p, struct publish_item *it)
{
	unsigned long long n = it->number;

	if (it->base == PUBLISH_QUARANTINE) {
		if (it->index != 0)
			snprintf(it->dir, sizeof(it->dir), QUARANTINE_FILE, it->stream.channel, n, it->object, it->index);
		else if (n != 0)
			snprintf(it->dir, sizeof(it->dir), "%s-%08llu-%.8s", it->stream.channel, n, it->object);
		else
			snprintf(it->dir, sizeof(it->dir), "%s-unnumbered-%.8s", it->stream.channel, it->object);
		return;
	}
	/* The same number twice in one generation: its outbox was cloned or restored, and did not notice.  What was
	 * numbered in another generation (after a change of keys, by another sender) is none, but has the place. */
	it->fork = taken(p, it, SAME_STREAM);
	if (it->fork)
		snprintf(it->dir, sizeof(it->dir), "%s/%08llu.fork-%.8s", it->stream.channel, n, it->manifest);
	else if (taken(p, it, ANYONE))
		snprintf(it->dir, sizeof(it->dir), "%s/%08llu.g-%.8s", it->stream.channel, n, it->stream.generation);
	else
		snprintf(it->dir, sizeof(it->dir), "%s/%08llu", it->stream.channel, n);
}

static const char *const base_name[] = { [PUBLISH_INBOX] = "inbox", [PUBLISH_QUARANTINE] = "quarantine",
	[PUBLISH_RELEASE] = "release" };

enum publish_base publish_base_named(const char *name)
{
	return strcmp(name, "inbox") == 0 ? PUBLISH_INBOX : strcmp(name, "release") == 0 ? PUBLISH_RELEASE : PUBLISH_QUARANTINE;
}

void publish_write_intent(struct publish *p, struct publish_item *it)
{
	free(it->entry);
	it->entry = publish_entry(it);
	db_run(&p->ledger->db, "INSERT OR REPLACE INTO intent(work, base, dir, entry, sender, channel, generation, number, manifest,"
	    " previous, object) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", "tttttttittt", it->work,
	    base_name[it->base], it->dir, it->entry, STREAM_ARGS(&it->stream),
	    (int64_t)it->number, it->manifest, it->previous, it->object);
}

/* A crash may have left some of them in the quarantine, and their transfer to come again. */
static void intend_part(struct publish *p, struct publish_item *part)
{
	choose_dir(p, part);
	part->duplicate = db_int(&p->ledger->db, "SELECT count(*) FROM quarantine WHERE object = ? AND sender = ? AND kept = 'file' AND"
	    " file = ?", "ttb", part->object, part->stream.sender, part->file, part->file_len) != 0;
	if (!part->duplicate)
		publish_write_intent(p, part);
}

void publish_intend(struct publish *p, struct publish_item *it, unsigned n)
{
	db_exec(&p->ledger->db, "BEGIN IMMEDIATE");
	for (unsigned i = 0; i < n; i++) {
		if (publish_out(&it[i]))
			continue;
		if (is_duplicate(p, &it[i])) {
			it[i].duplicate = true;
			continue;
		}
		it[i].chain_broken = it[i].base != PUBLISH_QUARANTINE && it[i].kept_file == 0 && chain_broken(p, &it[i]);
		if (it[i].dir[0] == '\0')
			choose_dir(p, &it[i]);
		publish_write_intent(p, &it[i]);
		for (uint32_t k = 0; k < it[i].parts; k++)
			intend_part(p, &it[i].part[k]);
	}
	db_exec(&p->ledger->db, "COMMIT");
	for (unsigned i = 0; i < n; i++)
		if (it[i].duplicate)
			publish_give_up(p, &it[i], 0);
}

void publish_free(struct publish_item *it)
{
	for (uint32_t k = 0; k < it->parts; k++) {
		free(it->part[k].entry);
		free(it->part[k].own_checks);
		free(it->part[k].own_reason);
	}
	free(it->part);
	free(it->entry);
	it->part = NULL;
	it->parts = 0;
	it->entry = NULL;
}

void publish_batch(struct publish *p, struct publish_item *it, unsigned n)
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
