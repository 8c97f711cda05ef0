/* peers_ask.c - see peers_ask.h */
#include "receiver/peers_ask.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "codec/hex.h"
#include "host/clock.h"
#include "host/i18n.h"
#include "host/ipc_recv.h"
#include "host/log.h"
#include "host/reason.h"
#include "receiver/peer_gone.h"
#include "receiver/quarantine.h"
#include "receiver/receiver_proc.h"
#include "receiver/store.h"

struct request {
	int64_t id, lane;
	char what[16], sender[2 * HASH_LEN + 1], operator[QUARANTINE_OPERATOR_MAX + 1], reason[QUARANTINE_REASON_MAX + 1], login[QUARANTINE_LOGIN_MAX + 1];
};

static void tell_open(struct store *s, uint32_t type, const struct msg_about_peer *m)
{
	if (ipc_write(STORE_FD_WITNESS, type, m, sizeof(*m)) != 1)
		peer_gone(s->stop_fd, "open");
}

static void set_revoked(struct store *s, int peer)
{
	struct msg_about_peer m = { .sender = (uint32_t)peer, .lane = -1 };

	s->revoked[peer] = true;
	tell_open(s, MSG_REVOKED, &m);
}

void peers_start(struct store *s)
{
	for (unsigned i = 0; i < s->conf.peers; i++)
		if (db_int(&s->ledger.db, "SELECT count(*) FROM revoked WHERE sender = ?", "t", s->fingerprint[i]) != 0) {
			log_warn("peer %s: its key is revoked; nothing of it is taken", s->conf.peer[i].name);
			set_revoked(s, (int)i);
		}
}

static bool next_request(struct db *db, struct request *r, const char *which, int64_t id)
{
	char sql[256];
	sqlite3_stmt *q;

	snprintf(sql, sizeof(sql), "SELECT id, what, sender, lane, operator, reason, login FROM peer_request WHERE code IS NULL AND id %s ?"
	    " ORDER BY id LIMIT 1", which);
	q = db_query(db, sql, "i", id);
	if (db_step(db, q) == 0)
		return false;
	r->id = sqlite3_column_int64(q, 0);
	db_text_to(r->what, sizeof(r->what), q, 1);
	db_text_to(r->sender, sizeof(r->sender), q, 2);
	r->lane = sqlite3_column_int64(q, 3);
	db_text_to(r->operator, sizeof(r->operator), q, 4);
	db_text_to(r->reason, sizeof(r->reason), q, 5);
	quarantine_login(r->login, q, 6);
	db_done(q);
	return true;
}

static void answer(struct db *db, const struct request *r, int code, const char *fmt, ...) __attribute__((format(printf, 4, 5)));

static void answer(struct db *db, const struct request *r, int code, const char *fmt, ...)
{
	char text[160];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	db_run(db, "UPDATE peer_request SET code = ?, answer = ? WHERE id = ?", "iti", (int64_t)code, text, r->id);
}

/* In a transaction. */
static void append(struct ledger *l, const char *event, const struct request *r, const char *key, int64_t value)
{
	char at[21];
	json_t *o;

	clock_iso(at, clock_wall_ms() / 1000);
	o = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "at", at, "event", event, "login", r->login, "operator", r->operator, "reason", r->reason,
	    "sender", r->sender);
	if (key != NULL)
		json_object_set_new(o, key, json_integer((json_int_t)value));
	ledger_append_json(l, o);
}

static void revoke(struct store *s, const struct request *r, int peer)
{
	struct db *db = &s->ledger.db;

	db_exec(db, "BEGIN IMMEDIATE");
	append(&s->ledger, "revoked", r, NULL, 0);
	db_run(db, "INSERT OR IGNORE INTO revoked(sender, at) VALUES(?, ?)", "ti", r->sender, (int64_t)(clock_wall_ms() / 1000));
	answer(db, r, 0, "revoked");
	db_exec(db, "COMMIT");
	log_warn("the key %.16s... was revoked by %s: %s", r->sender, r->operator, r->reason);
	if (peer >= 0)
		set_revoked(s, peer);
}

void peers_ask(struct store *s)
{
	struct db *db = &s->ledger.db;
	struct request r;
	int64_t after = 0;

	while (next_request(db, &r, ">", after)) {
		int peer = store_peer(s, r.sender);
		after = r.id;
		if (!quarantine_text_ok(r.operator, QUARANTINE_OPERATOR_MAX) || !quarantine_text_ok(r.reason, QUARANTINE_REASON_MAX)) {
			answer(db, &r, 1, "the operator's name and a reason are needed");
		} else if (strcmp(r.what, "revoke") == 0) {
			revoke(s, &r, peer);
		} else if (strcmp(r.what, "reset-epoch") != 0 || peer < 0) {
			answer(db, &r, 1, peer >= 0 ? N_("unknown request") :
			    N_("this sender is not pinned in the configuration that the receiver runs with"));
		} else {
			struct msg_about_peer m = { .sender = (uint32_t)peer, .lane = (int32_t)r.lane, .request = r.id };
			tell_open(s, MSG_RESET_EPOCH, &m); /* again and again until it has answered: that changes nothing */
		}
	}
}

void peers_answer(struct store *s, const struct msg_about_peer *m)
{
	struct db *db = &s->ledger.db;
	struct request r;

	if (!next_request(db, &r, "=", m->request))
		return; /* answered before */
	if (m->error != 0) {
		answer(db, &r, 1, "the epochs cannot be stored: %s", reason_errno(m->error));
		return;
	}
	db_exec(db, "BEGIN IMMEDIATE");
	append(&s->ledger, "epoch-reset", &r, "was", m->was);
	answer(db, &r, 0, "the next session may have any epoch; the highest before was %u", m->was);
	db_exec(db, "COMMIT");
	log_warn("peer %s: its epoch was reset by %s: %s", s->conf.peer[m->sender].name, r.operator, r.reason);
}

void peers_retired_used(struct store *s, uint32_t key, uint64_t created_ms)
{
	unsigned seen = 0;

	/* open counts those whose secret half is there. */
	for (unsigned i = 0; i < s->conf.retireds; i++) {
		char hex[2 * HASH_LEN + 1];
		if (!receiver_retired_is_secret(&s->conf.retired[i]) || ++seen != key)
			continue;
		if (i + 1 >= s->self.count)
			return;
		hex_put(hex, s->self.fingerprint[i + 1], HASH_LEN);
		db_run(&s->ledger.db, "INSERT INTO retired_use(receiver, newest) VALUES(?, ?) ON CONFLICT(receiver) DO UPDATE SET"
		    " newest = max(newest, excluded.newest)", "ti", hex, (int64_t)(created_ms / 1000));
	}
}
