/* checkpoints.c - see checkpoints.h */
#include "receiver/checkpoints.h"

#include <stdio.h>
#include <string.h>

#include "codec/hex.h"
#include "host/clock.h"
#include "host/log.h"
#include "host/reason.h"

#define EVERY_NS (3600 * 1000000000ull)
#define AGAIN_NS (60 * 1000000000ull)

bool checkpoints_due(struct checkpoints *c, struct msg_checkpoint *m, uint64_t now_ns)
{
	if (c->waiting)
		return false;
	c->upto = db_int(&c->ledger->db, "SELECT max(id) FROM checkpoint_request WHERE code IS NULL", "");
	if (c->upto == 0 && (now_ns < c->due_ns || c->rows == c->ledger->rows))
		return false;
	memset(m, 0, sizeof(*m));
	clock_iso(m->checkpoint.at, clock_wall_ms() / 1000);
	m->checkpoint.rows = (uint64_t)c->ledger->rows;
	memcpy(m->checkpoint.hash, c->ledger->hash, sizeof(m->checkpoint.hash));
	c->waiting = true;
	return true;
}

static void keep(struct db *db, const struct checkpoint *k)
{
	char receiver[2 * HASH_LEN + 1], signature[2 * SIGN_LEN + 1];

	hex_put(receiver, k->receiver, HASH_LEN);
	hex_put(signature, k->signature, SIGN_LEN);
	db_run(db, "INSERT INTO checkpoint(rows, hash, at, receiver, signature) VALUES(?, ?, ?, ?, ?) ON CONFLICT(rows) DO UPDATE SET"
	    " at = excluded.at, receiver = excluded.receiver, signature = excluded.signature", "itttt", (int64_t)k->rows, k->hash, k->at,
	    receiver, signature);
}

/* Into the ledger itself, once for what had been signed: it will be longer than that again one day, and the alarm over. */
static void note_set_back(struct checkpoints *c, uint64_t before)
{
	char entry[128], at[21], what[24];
	int n;

	snprintf(what, sizeof(what), "%llu", (unsigned long long)before);
	if (db_int(&c->ledger->db, "SELECT count(*) FROM incident WHERE event = 'set-back' AND what = ?", "t", what) != 0)
		return;
	clock_iso(at, clock_wall_ms() / 1000);
	n = snprintf(entry, sizeof(entry), "{\"at\":\"%s\",\"event\":\"set-back\",\"signed\":%s}", at, what);
	ledger_append(c->ledger, entry, (size_t)n);
	ledger_incident(c->ledger, "set-back", at, what);
}

void checkpoints_signed(struct checkpoints *c, const struct msg_checkpoint *m, uint64_t now_ns)
{
	struct db *db = &c->ledger->db;
	char answer[200] = "signed";

	c->waiting = false;
	c->due_ns = now_ns + (m->result == WITNESS_SIGNED ? EVERY_NS : AGAIN_NS);
	if (m->result == WITNESS_BACK) {
		reason_put(answer, sizeof(answer), "not signed: the ledger has %llu rows, but %llu were signed before: it was set back or changed",
		    (unsigned long long)m->checkpoint.rows, (unsigned long long)m->before);
		if (!c->set_back)
			log_error("ALARM: the ledger's checkpoint is %s", reason_show(answer));
	} else if (m->result != WITNESS_SIGNED) {
		reason_put(answer, sizeof(answer), "not signed now; see the receiver's log");
	}
	c->set_back = m->result == WITNESS_BACK;
	c->signed_before = m->before;
	db_exec(db, "BEGIN IMMEDIATE");
	if (c->set_back)
		note_set_back(c, m->before);
	if (m->result == WITNESS_SIGNED) {
		keep(db, &m->checkpoint);
		c->rows = (int64_t)m->checkpoint.rows;
	}
	db_run(db, "UPDATE checkpoint_request SET code = ?, answer = ? WHERE id <= ? AND code IS NULL", "iti",
	    (int64_t)(m->result == WITNESS_SIGNED ? 0 : 1), answer, c->upto);
	db_exec(db, "COMMIT");
}

int checkpoints_get(struct db *db, struct checkpoint *c, int64_t rows)
{
	sqlite3_stmt *s = db_query(db, "SELECT rows, hash, at, receiver, signature FROM checkpoint WHERE rows <= ? ORDER BY rows DESC LIMIT 1", "i",
	    rows);
	const char *receiver, *signature;
	int r = -1;

	memset(c, 0, sizeof(*c));
	if (db_step(db, s) == 0)
		return -1;
	c->rows = (uint64_t)sqlite3_column_int64(s, 0);
	snprintf(c->hash, sizeof(c->hash), "%s", (const char *)sqlite3_column_text(s, 1));
	snprintf(c->at, sizeof(c->at), "%s", (const char *)sqlite3_column_text(s, 2));
	receiver = (const char *)sqlite3_column_text(s, 3);
	signature = (const char *)sqlite3_column_text(s, 4);
	if (receiver != NULL && signature != NULL && hex_get(c->receiver, HASH_LEN, receiver, strlen(receiver)) == 0 &&
	    hex_get(c->signature, SIGN_LEN, signature, strlen(signature)) == 0)
		r = 0;
	db_done(s);
	return r;
}
