/* receiver_status.c - state/status.json, once a second: what `katamichi status` shows. */
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "codec/beat.h"
#include "codec/hex.h"
#include "host/clock.h"
#include "host/durable.h"
#include "host/exits.h"
#include "host/i18n.h"
#include "host/log.h"
#include "host/sandbox.h"
#include "receiver/reserve.h"
#include "receiver/store.h"
#include "receiver/validity.h"

enum {
	STREAMS_MAX = 256,     /* shown; those that lack something, then those that delivered last */
	QUARANTINE_SHOWN = 64, /* the newest */
};

const char *const receiver_counter_name[LC_COUNT] = {
	[LC_TAKEN] = "symbols", [LC_HELLO] = "hello", [LC_BEAT] = "beat", [LC_REPEAT] = "repeated",
	[LC_DELIVERED] = "delivered_before", [LC_DUPLICATE] = "duplicate", [LC_SIZE] = "refused_size",
	[LC_MAGIC] = "refused_magic", [LC_KIND] = "refused_kind", [LC_FIELD] = "refused_field",
	[LC_EPOCH] = "refused_epoch", [LC_REPLAY] = "refused_replay", [LC_TAG] = "refused_tag",
	[LC_PEER] = "refused_peer", [LC_GEOMETRY] = "refused_geometry", [LC_CONTRADICT] = "refused_contradiction",
	[LC_LIMIT] = "refused_limit", [LC_OBJECTS] = "no_memory", [LC_SLOT] = "no_part_file",
	[LC_PARITY] = "no_parity_memory", [LC_DISK] = "not_written", [LC_DATAGRAMS] = "datagrams", [LC_BYTES] = "bytes",
	[LC_SESSIONS] = "sessions", [LC_REPAIRED] = "repaired", [LC_COMPLETED] = "objects", [LC_DAMAGED] = "damaged",
	[LC_FAILED] = "blocks_failed", [LC_KERNEL] = "kernel_drops",
};

static void set(json_t *o, const char *key, uint64_t v)
{
	json_object_set_new(o, key, json_integer((json_int_t)v));
}

static void set_time(json_t *o, const char *key, uint64_t ms)
{
	char at[21];

	if (ms == 0) {
		json_object_set_new(o, key, json_null());
		return;
	}
	clock_iso(at, ms / 1000);
	json_object_set_new(o, key, json_string(at));
}

static const char *peer_name(const struct store *s, const char *fingerprint)
{
	int i = store_peer(s, fingerprint);

	return i >= 0 ? s->conf.peer[i].name : RECEIVER_NOT_PINNED;
}

static json_t *link_part(const struct store *s)
{
	json_t *o = json_object(), *c = json_object();
	const struct msg_stats *t = &s->stats;

	set_time(o, "last", t->last_ms);
	if (t->last_ms != 0 && t->sender < s->conf.peers) {
		json_object_set_new(o, "peer", json_string(s->conf.peer[t->sender].name));
		set(o, "lane", t->lane);
		set(o, "epoch", t->epoch);
	}
	for (int i = 0; i < LC_COUNT; i++)
		if (receiver_counter_name[i] != NULL)
			set(c, receiver_counter_name[i], t->counter[i]);
	json_object_set_new(o, "counters", c);
	set(o, "buffer", t->buffer_bytes);
	set(o, "buffer_used", t->buffer_used);
	/* What the kernel reports is twice what it was asked for (socket(7)). */
	json_object_set_new(o, "small_buffer", json_boolean(t->buffer_bytes > 0 && t->buffer_bytes / 2 < s->conf.buffer));
	set(o, "buffer_wanted", s->conf.buffer * 2);
	set(o, "parity_bytes", t->parity_bytes);
	set(o, "gathering", t->open);
	return o;
}

static json_t *peers_part(const struct store *s)
{
	json_t *a = json_array();

	for (unsigned i = 0; i < s->conf.peers; i++) {
		json_t *o = json_object();
		json_object_set_new(o, "name", json_string(s->conf.peer[i].name));
		json_object_set_new(o, "fingerprint", json_string(s->fingerprint[i]));
		set_time(o, "session", s->peer[i].session_ms);
		set(o, "epoch", s->peer[i].epoch);
		set(o, "lane", s->peer[i].lane);
		set(o, "old_epochs", s->peer[i].old_epochs);
		set(o, "refused", s->peer[i].refused);
		json_object_set_new(o, "valid", json_boolean(validity_at(&s->conf.peer[i], clock_wall_ms() / 1000)));
		json_object_set_new(o, "disk_trouble", json_boolean(s->peer[i].flags & BEAT_DISK));
		json_array_append_new(a, o);
	}
	return a;
}

static json_t *gaps_of(struct store *s, const char *sender, const char *channel, const char *generation, uint64_t *missing)
{
	json_t *a = json_array();
	sqlite3_stmt *q = db_query(&s->ledger.db, "SELECT first, last FROM gap WHERE sender = ? AND channel = ? AND generation = ?"
	    " ORDER BY first LIMIT 16", "ttt", sender, channel, generation);

	*missing = (uint64_t)db_int(&s->ledger.db, "SELECT coalesce(sum(last - first + 1), 0) FROM gap WHERE sender = ? AND"
	    " channel = ? AND generation = ?", "ttt", sender, channel, generation);
	while (db_step(&s->ledger.db, q) == 1) {
		json_t *r = json_array();
		json_array_append_new(r, json_integer(sqlite3_column_int64(q, 0)));
		json_array_append_new(r, json_integer(sqlite3_column_int64(q, 1)));
		json_array_append_new(a, r);
	}
	return a;
}

static json_t *channels_part(struct store *s)
{
	json_t *a = json_array();
	sqlite3_stmt *q = db_query(&s->ledger.db, "SELECT sender, channel, generation, known, oldest, delivered, delivered_at FROM"
	    " (SELECT * FROM stream s ORDER BY EXISTS(SELECT 1 FROM gap g WHERE g.sender = s.sender AND g.channel = s.channel AND"
	    " g.generation = s.generation) DESC, delivered_at DESC LIMIT ?) ORDER BY channel, sender, generation", "i", (int64_t)STREAMS_MAX);

	while (db_step(&s->ledger.db, q) == 1) {
		json_t *o = json_object();
		const char *sender = (const char *)sqlite3_column_text(q, 0);
		const char *channel = (const char *)sqlite3_column_text(q, 1);
		const char *generation = (const char *)sqlite3_column_text(q, 2);
		uint64_t missing;
		json_object_set_new(o, "channel", json_string(channel));
		json_object_set_new(o, "peer", json_string(peer_name(s, sender)));
		json_object_set_new(o, "generation", json_string(generation));
		json_object_set_new(o, "gaps", gaps_of(s, sender, channel, generation, &missing));
		set(o, "missing", missing);
		set(o, "known", (uint64_t)sqlite3_column_int64(q, 3));
		if (sqlite3_column_int64(q, 4) >= 0)
			set(o, "kept_from", (uint64_t)sqlite3_column_int64(q, 4));
		else
			json_object_set_new(o, "kept_from", json_null()); /* no beat yet */
		set(o, "delivered", (uint64_t)sqlite3_column_int64(q, 5));
		set_time(o, "delivered_at", (uint64_t)sqlite3_column_int64(q, 6) * 1000);
		json_array_append_new(a, o);
	}
	return a;
}

static json_t *partly_part(const struct store *s)
{
	json_t *a = json_array();

	for (uint32_t i = 0; i < s->stats.objects && i < STATS_OBJECTS_MAX; i++) {
		const struct stats_object *t = &s->stats.object[i];
		json_t *o = json_object();
		char id[33];
		hex_put(id, t->id, 16);
		json_object_set_new(o, "object", json_string(id));
		if (t->sender < s->conf.peers)
			json_object_set_new(o, "peer", json_string(s->conf.peer[t->sender].name));
		set(o, "bytes", t->length);
		set(o, "symbols", t->symbols);
		set(o, "have", t->have);
		json_array_append_new(a, o);
	}
	return a;
}

/* Complete objects that wait for something. */
static json_t *held_part(const struct store *s)
{
	static const char *const why[] = {
		[JOB_HELD_DISK] = N_("the disk does not take it now"),
		[JOB_HELD_ROOM] = N_("less than keep_free of its channel would stay free"),
		[JOB_HELD_KEY] = N_("its sender's key is not valid now"),
		[JOB_HELD_SCANNER] = N_("the virus scanner has not looked at it yet"),
	};
	json_t *a = json_array();

	for (const struct job *j = s->jobs; j != NULL && json_array_size(a) < STATS_OBJECTS_MAX; j = j->next) {
		char id[33];
		if (j->held != JOB_NOT_HELD)
			json_array_append_new(a, json_pack("{s:s, s:s, s:s}", "object", job_show(id, j->id), "peer", s->conf.peer[j->sender].name,
			    "why", why[j->held]));
	}
	return a;
}

static json_t *forks_part(struct store *s)
{
	json_t *o = json_object();
	sqlite3_stmt *q = db_query(&s->ledger.db, "SELECT at, dir FROM fork ORDER BY seq DESC LIMIT 1", "");

	set(o, "count", (uint64_t)db_int(&s->ledger.db, "SELECT count(*) FROM fork", ""));
	if (db_step(&s->ledger.db, q) == 1) {
		json_object_set_new(o, "at", json_string(db_text(q, 0)));
		json_object_set_new(o, "dir", json_string(db_text(q, 1)));
		db_done(q);
	}
	return o;
}

/* The newest of each kind. */
static json_t *incidents_part(struct store *s)
{
	json_t *o = json_object();
	sqlite3_stmt *q = db_query(&s->ledger.db, "SELECT event, at, what FROM incident ORDER BY event", "");

	while (db_step(&s->ledger.db, q) == 1)
		json_object_set_new(o, db_text(q, 0), json_pack("{s:s, s:s}", "at", db_text(q, 1), "what", db_text(q, 2)));
	return o;
}

/* What the disk keeps us from, or "". */
static const char *trouble(const struct store *s)
{
	uint64_t now = clock_mono_ns();

	for (const struct job *j = s->jobs; j != NULL; j = j->next)
		if ((j->held == JOB_HELD_DISK || j->held == JOB_HELD_ROOM) && j->not_before_ns > now)
			return "what has arrived cannot be delivered now; it is kept and tried again (see the log)";
	if (reserve_reached(s->state, RESERVE_BUILDING, 0))
		return "full: nothing can be delivered; what arrives is left to later rounds";
	if (reserve_reached(s->state, RESERVE_PARTS, 0))
		return "nearly full: nothing new is gathered; what arrives is left to later rounds";
	return "";
}

static json_t *disk_part(const struct store *s)
{
	json_t *o = json_object();
	struct statvfs v;

	json_object_set_new(o, "trouble", json_string(trouble(s)));
	if (fstatvfs(s->state, &v) == 0) {
		set(o, "free", (uint64_t)v.f_bavail * v.f_frsize);
		set(o, "total", (uint64_t)v.f_blocks * v.f_frsize);
		set(o, "inodes_free", v.f_favail);
	}
	return o;
}

static void replace(const struct store *s, const char *text, size_t n)
{
	struct stat st;

	if (durable_note(s->state, "status.json", text, n, 0640) == 0)
		return;
	/* A full disk is reported where it matters.  But whatever is delivered now
	 * would be recorded in files that have no name any more. */
	if (fstat(s->state, &st) == 0 && st.st_nlink == 0)
		log_die(EXIT_SYSTEM, "%s: the directory was removed while the receiver ran; put it back and start again", s->conf.state);
}

void receiver_status_write(struct store *s)
{
	json_t *o = json_object(), *l = json_object();
	char *text;

	json_object_set_new(o, "role", json_string("receiver"));
	set(o, "pid", (uint64_t)getppid());
	set(o, "at_ms", clock_wall_ms());
	set_time(o, "at", clock_wall_ms());
	set_time(o, "started", s->started_ms);
	json_object_set_new(o, "link", link_part(s));
	json_object_set_new(o, "peers", peers_part(s));
	json_object_set_new(o, "channels", channels_part(s));
	set(o, "streams", (uint64_t)db_int(&s->ledger.db, "SELECT count(*) FROM stream", ""));
	json_object_set_new(o, "partly", partly_part(s));
	json_object_set_new(o, "held", held_part(s));
	json_object_set_new(o, "forks", forks_part(s));
	json_object_set_new(o, "incidents", incidents_part(s));
	set(o, "waiting", s->waiting);
	set(o, "quarantined", quarantine_count(&s->ledger));
	if (s->scan.wanted)
		json_object_set_new(o, "antivirus", json_pack("{s:s, s:I, s:I}", "trouble", s->scan.trouble, "scanning",
		    (json_int_t)s->scan.waiting, "held", (json_int_t)s->scan.held));
	json_object_set_new(o, "quarantine", quarantine_list(&s->ledger.db, QUARANTINE_SHOWN, true));
	set(l, "rows", (uint64_t)s->ledger.rows);
	json_object_set_new(l, "hash", json_string(s->ledger.hash));
	set(l, "signed", (uint64_t)s->checkpoints.rows);
	json_object_set_new(l, "set_back", s->checkpoints.set_back ? json_integer((json_int_t)s->checkpoints.signed_before) : json_null());
	json_object_set_new(l, "bad", s->audit.bad != 0 ? json_integer((json_int_t)s->audit.bad) : json_null());
	json_object_set_new(l, "why", s->audit.bad != 0 ? json_string(s->audit.why) : json_null());
	json_object_set_new(o, "ledger", l);
	json_object_set_new(o, "disk", disk_part(s));
	json_object_set_new(o, "no_sandbox", json_boolean(sandbox_is_off()));
	text = json_dumps(o, JSON_INDENT(1));
	json_decref(o);
	if (text == NULL)
		return;
	replace(s, text, strlen(text));
	free(text);
	receiver_metrics_write(s, trouble(s)[0] != '\0');
}
