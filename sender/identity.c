/* identity.c - see identity.h. */
#include "sender/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "codec/hex.h"
#include "host/clock.h"
#include "host/durable.h"
#include "host/exits.h"
#include "host/i18n.h"
#include "host/log.h"
#include "host/reason.h"
#include "sender/set_aside.h"
#include "sender/unfinished.h"

#define XFS_MAGIC 0x58465342
enum { TEXT_MAX = 128, WITNESS_LEN = 96 };

struct witness {
	char generation[2 * SEAL_GENERATION_LEN + 1];
	uint64_t row, service_ms;
};

static void put_meta(struct outbox *o, const char *key, const char *v)
{
	db_run(&o->db, "INSERT INTO meta(key, value) VALUES(?, ?) ON CONFLICT(key) DO UPDATE SET value = excluded.value", "tt", key, v);
}

/* Into out; false: there is none. */
static bool get_meta(struct outbox *o, const char *key, char out[static TEXT_MAX])
{
	sqlite3_stmt *s = db_query(&o->db, "SELECT value FROM meta WHERE key = ?", "t", key);
	const char *text;

	if (db_step(&o->db, s) != 1)
		return false;
	text = (const char *)sqlite3_column_text(s, 0);
	snprintf(out, TEXT_MAX, "%s", text != NULL ? text : "");
	db_done(s);
	return true;
}

/* --- what can be seen --- */
static void machine_now(char out[static TEXT_MAX], const char *path)
{
	char text[256];
	uint8_t hash[HASH_LEN];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text));

	if (fd >= 0)
		close(fd);
	snprintf(out, TEXT_MAX, "none");
	if (n <= 0)
		return;
	crypto_sha256(hash, text, (size_t)n); /* the id itself is nobody's business */
	hex_put(out, hash, 16);
}

static void place_now(char out[static TEXT_MAX], const struct outbox *o)
{
	struct statfs f;
	struct statx st;
	uint64_t id = 0, born = 0;

	if (statfs(o->path, &f) != 0 || statx(AT_FDCWD, o->path, 0, STATX_INO | STATX_BTIME, &st) != 0)
		log_die(EXIT_SYSTEM, "%s: %s", o->path, strerror(errno));
	/* Numbers of inodes are used again, but nobody can choose when a file was born. */
	if (st.stx_mask & STATX_BTIME)
		born = (uint64_t)st.stx_btime.tv_sec * 1000000000u + st.stx_btime.tv_nsec;
	_Static_assert(sizeof(f.f_fsid) == sizeof(id), "the file system's id");
	if ((uint64_t)f.f_type != XFS_MAGIC)
		memcpy(&id, &f.f_fsid, sizeof(id));
	snprintf(out, TEXT_MAX, "%" PRIx64 " %016" PRIx64 " %" PRIu64 " %" PRIx64, (uint64_t)f.f_type, id, (uint64_t)st.stx_ino, born);
}

/* --- the witness --- */
static void open_witness(struct outbox *o, const char *path)
{
	o->witness = -1;
	if (path[0] == '\0')
		return;
	o->witness = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (o->witness < 0)
		log_die(durable_exit(errno), "%s: the witness cannot be used: %s", path, strerror(errno));
}

/* 1 read, 0 it is empty (new), -1 it is something else. */
static int read_witness(const struct outbox *o, struct witness *w)
{
	char text[WITNESS_LEN + 1] = "";
	ssize_t n = pread(o->witness, text, WITNESS_LEN, 0);

	if (n == 0)
		return 0;
	return n == WITNESS_LEN && sscanf(text, "katamichi-witness-1 %32s %" SCNu64 " %" SCNu64, w->generation, &w->row,
	    &w->service_ms) == 3 ? 1 : -1;
}

static uint64_t newest_row(struct outbox *o)
{
	return (uint64_t)db_int(&o->db, "SELECT max(row) FROM object", "");
}

void identity_tell(struct outbox *o, bool sync, uint64_t now_ns)
{
	char text[WITNESS_LEN + 1], generation[2 * SEAL_GENERATION_LEN + 1];
	int n;

	if (o->witness < 0)
		return;
	if (sync) /* what the database knows for certain */
		o->witness_ms = outbox_service_ms(o, now_ns);
	hex_put(generation, o->generation, SEAL_GENERATION_LEN);
	n = snprintf(text, sizeof(text), "katamichi-witness-1 %s %" PRIu64 " %" PRIu64, generation, newest_row(o), o->witness_ms);
	memset(text + n, ' ', (size_t)(WITNESS_LEN - n));
	text[WITNESS_LEN - 1] = '\n';
	if (durable_pwrite_all(o->witness, text, WITNESS_LEN, 0) == 0 && (!sync || fdatasync(o->witness) == 0)) {
		o->witness_failed = false;
		return;
	}
	if (!o->witness_failed)
		log_error("the witness cannot be written: %s; a restored outbox might not be noticed", strerror(errno));
	o->witness_failed = true;
}

/* --- the verdict --- */
static const char *against_witness(struct outbox *o)
{
	char known[TEXT_MAX], generation[2 * SEAL_GENERATION_LEN + 1];
	struct witness w;
	int got;

	if (o->witness < 0)
		return NULL;
	got = read_witness(o, &w);
	if (got == 0) /* configured just now, or taken away with the machine */
		return get_meta(o, "witness", known) ? N_("its witness is gone") : NULL;
	if (got < 0)
		return "its witness cannot be read";
	hex_put(generation, o->generation, SEAL_GENERATION_LEN);
	if (strcmp(w.generation, generation) != 0)
		return "its witness speaks of another outbox";
	if (w.row > newest_row(o) || w.service_ms > o->service_ms)
		return "it is older than its witness: it was restored from a backup";
	return NULL;
}

static const char *verdict(struct outbox *o, const char *machine, const char *place, unsigned unfinished)
{
	char known[TEXT_MAX];

	if (!get_meta(o, "machine", known))
		return NULL; /* it never ran */
	if (strcmp(known, machine) != 0)
		return "this is another machine";
	if (get_meta(o, "place", known) && strcmp(known, place) != 0)
		return "its database was moved, copied or restored";
	if (set_aside_count(o) > unfinished)
		return "it does not know sealed objects whose files are gone: it was restored from a backup";
	return against_witness(o);
}

void identity_renew(struct outbox *o, const char *reason)
{
	char before[2 * SEAL_GENERATION_LEN + 1], now[2 * SEAL_GENERATION_LEN + 1];

	hex_put(before, o->generation, SEAL_GENERATION_LEN);
	crypto_random(o->generation, sizeof(o->generation));
	hex_put(now, o->generation, SEAL_GENERATION_LEN);
	db_exec(&o->db, "BEGIN IMMEDIATE");
	db_run(&o->db, "UPDATE meta SET value = ? WHERE key = 'generation'", "b", o->generation, sizeof(o->generation));
	db_run(&o->db, "INSERT INTO generation(at, before, after, reason) VALUES(?, ?, ?, ?)", "ittt", (int64_t)clock_wall_ms(), before,
	    now, reason);
	db_exec(&o->db, "COMMIT");
	log_warn("a new generation, %.8s after %.8s: %s; numbers begin again with 1, and what is still kept of the old one is sent as before",
	    now, before, reason_show(reason));
}

/* Before anything is noted: a kill in between is no other outbox at the next start. */
static void keep_unknown(struct outbox *o)
{
	int moved = set_aside_unknown(o);

	if (moved < 0)
		log_die(durable_exit(errno), "%s: sealed objects that it does not know cannot be set aside: %s", o->path, strerror(errno));
	if (moved > 0)
		log_warn("%d sealed objects are unknown to this database and were moved to set-aside beside it: look whether the receiver"
		    " has their files (the guide to incidents says how to open them)", moved);
}

void identity_check(struct outbox *o, const char *machine_id, const char *witness, unsigned unfinished, uint64_t now_ns)
{
	char machine[TEXT_MAX], place[TEXT_MAX], noted[TEXT_MAX];
	const char *why;

	open_witness(o, witness);
	machine_now(machine, machine_id);
	place_now(place, o);
	why = verdict(o, machine, place, unfinished);
	if (why != NULL || unfinished == UNFINISHED_UNSEEN || !get_meta(o, "place", noted)) /* restored, or perhaps, or new */
		keep_unknown(o);
	if (why != NULL)
		identity_renew(o, why);
	db_exec(&o->db, "BEGIN IMMEDIATE");
	put_meta(o, "machine", machine);
	put_meta(o, "place", place);
	if (o->witness >= 0)
		put_meta(o, "witness", witness);
	else
		db_exec(&o->db, "DELETE FROM meta WHERE key = 'witness'");
	db_exec(&o->db, "COMMIT");
	o->witness_ms = o->service_ms;
	identity_tell(o, true, now_ns);
}

void identity_key(struct outbox *o, const uint8_t fingerprint[static HASH_LEN])
{
	char hex[2 * HASH_LEN + 1], was[TEXT_MAX];

	hex_put(hex, fingerprint, HASH_LEN);
	if (get_meta(o, "key", was) && strcmp(was, hex) != 0) {
		identity_renew(o, N_("the sender has another key"));
		/* What was numbered under the old key is not this key's to announce. */
		snprintf(was, sizeof(was), "%" PRId64, db_int(&o->db, "SELECT max(row) FROM object", ""));
		put_meta(o, "key_row", was);
	}
	put_meta(o, "key", hex);
}
