/* quarantine_ask.c - operators' requests about the quarantine are carried out (quarantine.h). */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/clock.h"
#include "host/durable.h"
#include "host/log.h"
#include "host/reason.h"
#include "receiver/name_json.h"
#include "receiver/quarantine.h"

struct request {
	int64_t id;
	char what[16], entry[PUBLISH_DIR_MAX], operator[QUARANTINE_OPERATOR_MAX + 1], reason[QUARANTINE_REASON_MAX + 1], login[QUARANTINE_LOGIN_MAX + 1];
	int64_t at;
};

struct held { /* a row of table quarantine */
	struct publish_item item;
	char kept[16], state[16], checks[256], reason[400];
};

static bool read_entry(struct db *db, struct held *h, const char *entry)
{
	struct publish_item *it = &h->item;
	sqlite3_stmt *s = db_query(db, "SELECT kept, state, sender, channel, generation, number, manifest, previous, object, file, files,"
	    " bytes, checks, reason FROM quarantine WHERE entry = ?", "t", entry);
	int n;

	memset(h, 0, sizeof(*h));
	if (db_step(db, s) == 0)
		return false;
	db_text_to(h->kept, sizeof(h->kept), s, 0);
	db_text_to(h->state, sizeof(h->state), s, 1);
	db_text_to(it->stream.sender, sizeof(it->stream.sender), s, 2);
	db_text_to(it->stream.channel, sizeof(it->stream.channel), s, 3);
	db_text_to(it->stream.generation, sizeof(it->stream.generation), s, 4);
	it->number = (uint64_t)sqlite3_column_int64(s, 5);
	db_text_to(it->manifest, sizeof(it->manifest), s, 6);
	db_text_to(it->previous, sizeof(it->previous), s, 7);
	db_text_to(it->object, sizeof(it->object), s, 8);
	n = sqlite3_column_bytes(s, 9);
	if (n > 0 && n <= NAME_MAX_LEN) {
		memcpy(it->file, sqlite3_column_blob(s, 9), (size_t)n);
		it->file_len = (size_t)n;
	}
	it->files = (uint32_t)sqlite3_column_int64(s, 10);
	it->bytes = (uint64_t)sqlite3_column_int64(s, 11);
	db_text_to(h->checks, sizeof(h->checks), s, 12);
	db_text_to(h->reason, sizeof(h->reason), s, 13);
	db_done(s);
	snprintf(it->work, sizeof(it->work), "%s", entry);
	it->kept = h->kept;
	it->checks = h->checks;
	it->reason = h->reason;
	it->kept_file = strcmp(h->kept, "file") == 0;
	return true;
}

static void answer(struct db *db, const struct request *r, int code, const char *fmt, ...) __attribute__((format(printf, 4, 5)));

static void answer(struct db *db, const struct request *r, int code, const char *fmt, ...)
{
	char text[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	db_run(db, "UPDATE quarantine_request SET code = ?, answer = ? WHERE id = ?", "iti", (int64_t)code, text, r->id);
}

/* --- ledger --- */
static json_t *who(const struct request *r)
{
	char at[21];

	clock_iso(at, (uint64_t)r->at / 1000);
	return json_pack("{s:s, s:s, s:s, s:s}", "at", at, "login", r->login, "operator", r->operator, "reason", r->reason);
}

/* A row about an entry that is not a delivery.  In a transaction. */
static void append(struct ledger *l, const char *event, const struct held *h, const struct request *r)
{
	const struct publish_item *it = &h->item;
	char at[21];
	json_t *o;

	clock_iso(at, clock_wall_ms() / 1000);
	o = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "at", at, "event", event, "entry", it->work, "kept", h->kept,
	    "object", it->object, "operator", r->operator, "reason", r->reason, "login", r->login, "sender", it->stream.sender);
	if (it->number != 0)
		json_object_set_new(o, "number", json_integer((json_int_t)it->number));
	if (it->stream.channel[0] != '\0')
		json_object_set_new(o, "channel", json_string(it->stream.channel));
	if (it->file_len != 0)
		name_json(o, "file", "file_b64", it->file, it->file_len);
	ledger_append_json(l, o);
}

/* --- discard --- */
static void remove_entry(const struct quarantine *q, const char *entry)
{
	if (durable_remove_tree(q->publish->quarantine_fd, entry) != 0)
		log_warn("quarantine/%s: cannot be removed: %s; the next start tries again", entry, strerror(errno));
}

static void discard(struct quarantine *q, const struct held *h, const struct request *r)
{
	struct ledger *l = q->publish->ledger;

	db_exec(&l->db, "BEGIN IMMEDIATE");
	append(l, "discarded", h, r);
	db_run(&l->db, "UPDATE quarantine SET state = 'discarded' WHERE entry = ?", "t", r->entry);
	db_run(&l->db, "DELETE FROM quarantine_approval WHERE entry = ?", "t", r->entry);
	answer(&l->db, r, QUARANTINE_DONE, "discarded");
	db_exec(&l->db, "COMMIT");
	remove_entry(q, r->entry);
	log_warn("quarantine/%s was discarded by %s: %s", r->entry, r->operator, r->reason);
}

/* --- release --- */
static const char *why_not(const struct quarantine *q, const struct held *h)
{
	const struct publish_item *it = &h->item;
	struct stat st;

	if (receiver_conf_channel(q->conf, it->stream.channel) == NULL && it->stream.channel[0] != '\0')
		return "its channel is not configured here any more";
	if (strcmp(h->kept, "unverified") == 0)
		return "it is not what a sender signed, so it can only be discarded";
	if (strcmp(h->kept, "sealed") == 0)
		return "it was never opened, so it can only be discarded";
	if (fstatat(q->publish->quarantine_fd, it->work, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return "its directory is not in the quarantine any more";
	if (!it->kept_file && db_int(&q->publish->ledger->db, "SELECT count(*) FROM delivery WHERE channel = ? AND number = ? AND sender = ?"
	    " AND generation = ? AND manifest = ?", "titt" "t", it->stream.channel, (int64_t)it->number, it->stream.sender,
	    it->stream.generation, it->manifest) != 0)
		return "the same transfer was delivered since; discard this one";
	return NULL;
}

/* Two operators?  Then the first is only noted.  *first: who that was; NULL: nobody. */
static bool needs_another(struct quarantine *q, const struct held *h, const struct request *r, json_t **first)
{
	const struct receiver_channel *ch = receiver_conf_channel(q->conf, h->item.stream.channel);
	struct ledger *l = q->publish->ledger;
	struct request before = { 0 };
	sqlite3_stmt *s;

	*first = NULL;
	if (ch == NULL || !ch->two)
		return false;
	s = db_query(&l->db, "SELECT operator, reason, login, at FROM quarantine_approval WHERE entry = ?", "t", r->entry);
	if (db_step(&l->db, s) == 1) {
		db_text_to(before.operator, sizeof(before.operator), s, 0);
		db_text_to(before.reason, sizeof(before.reason), s, 1);
		quarantine_login(before.login, s, 2);
		before.at = sqlite3_column_int64(s, 3);
		db_done(s);
		if (quarantine_same_operator(before.operator, r->operator)) {
			answer(&l->db, r, QUARANTINE_ANOTHER, "%s has asked for it already; channel %s wants another operator", before.operator,
			    ch->name);
			return true;
		}
		*first = who(&before);
		return false;
	}
	db_exec(&l->db, "BEGIN IMMEDIATE");
	append(l, "approved", h, r);
	db_run(&l->db, "INSERT INTO quarantine_approval(entry, operator, reason, login, at) VALUES(?, ?, ?, ?, ?)", "tttti", r->entry,
	    r->operator, r->reason, r->login, r->at);
	answer(&l->db, r, QUARANTINE_ANOTHER, "recorded; channel %s wants another operator to ask for it too", ch->name);
	db_exec(&l->db, "COMMIT");
	log_info("quarantine/%s: its release was approved by %s; another operator has to", r->entry, r->operator);
	return true;
}

/* RELEASE.json beside the manifest: who let this in, and what it had not passed. */
static int write_note(int dir, const struct publish_item *it, const json_t *operators)
{
	json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:I, s:s, s:O}", "@format", "katamichi-release-1", "channel", it->stream.channel,
	    "entry", it->work, "manifest", it->manifest, "number", (json_int_t)it->number, "held", it->reason, "operators", operators);
	char *text;
	int r;

	if (it->file_len != 0)
		name_json(o, "file", "file_b64", it->file, it->file_len);
	text = json_dumps(o, JSON_COMPACT | JSON_SORT_KEYS);
	json_decref(o);
	if (text == NULL) {
		errno = ENOMEM;
		return -1;
	}
	size_t n = strlen(text);
	text[n] = '\n'; /* over its NUL */
	r = durable_write(dir, "RELEASE.json", text, n + 1, 0640);
	free(text);
	return r;
}

/* The entry as it will stand in the inbox: nobody sees it before it is renamed.  0 or -1 and errno. */
static int prepare(int quarantine, const struct publish_item *it, const json_t *operators)
{
	int dir = openat(quarantine, it->work, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), files = -1, r = -1;

	if (dir < 0)
		return -1;
	if (write_note(dir, it, operators) != 0 ||
	    (files = openat(dir, "files", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)) < 0)
		goto close_dir;
	r = fchmod(files, 0750) != 0 || fchmod(dir, 0750) != 0 || fsync(files) != 0 || fsync(dir) != 0 ? -1 : 0;
close_dir:
	if (files >= 0)
		close(files);
	close(dir);
	return r;
}

static void publish_it(struct quarantine *q, struct held *h, const struct request *r, const json_t *operators)
{
	struct publish_item *it = &h->item;
	unsigned index;

	it->base = PUBLISH_RELEASE;
	it->more = json_pack("{s:s, s:O}", "entry", it->work, "operators", operators);
	if (it->kept_file) {
		const char *dash = strrchr(it->work, '-');
		index = dash != NULL ? (unsigned)strtoul(dash + 1, NULL, 10) : 0;
		it->index = index;
		snprintf(it->dir, sizeof(it->dir), RELEASED_FILE, it->stream.channel, (unsigned long long)it->number, it->object, index);
	}
	if (prepare(q->publish->quarantine_fd, it, operators) != 0) {
		it->error = errno;
	} else {
		publish_intend(q->publish, it, 1);
		publish_rename(q->publish, it, 1);
		if (it->error == 0)
			publish_record(q->publish, it, 1);
	}
	json_decref(it->more);
	if (it->error != 0)
		answer(&q->publish->ledger->db, r, QUARANTINE_NO, "it cannot be put into the inbox: %s", reason_errno(it->error));
	else
		log_warn("quarantine/%s was released by %s as %s: %s", r->entry, r->operator, it->dir, r->reason);
	publish_free(it);
}

static void release(struct quarantine *q, struct held *h, const struct request *r)
{
	const char *why = why_not(q, h);
	json_t *operators, *first;

	if (why != NULL) {
		answer(&q->publish->ledger->db, r, QUARANTINE_NO, "%s", why);
		return;
	}
	if (needs_another(q, h, r, &first))
		return;
	operators = json_array();
	if (first != NULL)
		json_array_append_new(operators, first);
	json_array_append_new(operators, who(r));
	publish_it(q, h, r, operators);
	json_decref(operators);
}

/* --- requests --- */
static void carry_out(struct quarantine *q, const struct request *r)
{
	struct db *db = &q->publish->ledger->db;
	static struct held h;

	if (!quarantine_text_ok(r->operator, QUARANTINE_OPERATOR_MAX) || !quarantine_text_ok(r->reason, QUARANTINE_REASON_MAX))
		answer(db, r, QUARANTINE_NO, "the operator's name and a reason are needed");
	else if (!read_entry(db, &h, r->entry))
		answer(db, r, QUARANTINE_NO, "there is no such entry");
	else if (strcmp(h.state, "held") != 0)
		answer(db, r, QUARANTINE_NO, "it was %s before", h.state);
	else if (strcmp(r->what, "discard") == 0)
		discard(q, &h, r);
	else if (strcmp(r->what, "release") == 0)
		release(q, &h, r);
	else
		answer(db, r, QUARANTINE_NO, "unknown request");
}

void quarantine_run(struct quarantine *q)
{
	struct db *db = &q->publish->ledger->db;
	struct request r;

	for (;;) {
		sqlite3_stmt *s = db_query(db, "SELECT id, what, entry, operator, reason, login, at FROM quarantine_request WHERE code IS NULL"
		    " ORDER BY id LIMIT 1", "");
		if (db_step(db, s) == 0)
			return;
		r.id = sqlite3_column_int64(s, 0);
		db_text_to(r.what, sizeof(r.what), s, 1);
		db_text_to(r.entry, sizeof(r.entry), s, 2);
		db_text_to(r.operator, sizeof(r.operator), s, 3);
		db_text_to(r.reason, sizeof(r.reason), s, 4);
		quarantine_login(r.login, s, 5);
		r.at = sqlite3_column_int64(s, 6);
		db_done(s);
		carry_out(q, &r);
	}
}

void quarantine_start(struct quarantine *q)
{
	int fd = openat(q->publish->quarantine_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	if (d == NULL)
		log_die(durable_exit(errno), "quarantine: %s", strerror(errno));
	while ((e = readdir(d)) != NULL)
		if (e->d_name[0] != '.' && db_int(&q->publish->ledger->db, "SELECT count(*) FROM quarantine WHERE entry = ? AND"
		    " state = 'discarded'", "t", e->d_name) != 0)
			remove_entry(q, e->d_name);
	closedir(d);
}
