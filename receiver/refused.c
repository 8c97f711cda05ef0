/* refused.c - objects that never become a transfer (store.h): they could not be
 * opened, or are over a cap of their channel. */
#include <jansson.h>
#include <string.h>

#include "codec/hex.h"
#include "host/clock.h"
#include "host/exits.h"
#include "host/i18n.h"
#include "host/log.h"
#include "host/reason.h"
#include "receiver/store.h"

void refused_row(struct store *s, const struct job *j, uint64_t number, const char *reason)
{
	json_t *o = json_object(), *said = json_string(reason);
	char at[21], id[33];

	clock_iso(at, clock_wall_ms() / 1000);
	json_object_set_new(o, "at", json_string(at));
	json_object_set_new(o, "event", json_string("refused"));
	json_object_set_new(o, "object", json_string(job_show(id, j->id)));
	json_object_set_new(o, "sender", json_string(s->fingerprint[j->sender]));
	if (j->opened && j->inner.channel[0] != '\0')
		json_object_set_new(o, "channel", json_string(j->inner.channel));
	if (number != 0)
		json_object_set_new(o, "number", json_integer((json_int_t)number));
	json_object_set_new(o, "reason", said != NULL ? said : json_string("(not printable)"));
	ledger_append_json(&s->ledger, o);
}

/* It was opened, so its stream is known: `katamichi gaps` says what became of it, unless nobody waits for it: then true. */
static bool note_aside(struct store *s, const struct job *j, const char *id, const char *why, uint64_t number)
{
	const struct ledger_aside aside = { id, why, "", number };
	struct ledger_stream t;

	strcpy(t.sender, s->fingerprint[j->inner.sender]);
	strcpy(t.channel, j->inner.channel);
	hex_put(t.generation, j->inner.generation, 16);
	return !ledger_aside(&s->ledger, &t, &aside, clock_wall_ms() / 1000);
}

/* A row of the ledger for each object, however often it comes.  How often it was, before this time.  In a transaction. */
static int64_t note_trouble(struct store *s, const struct job *j, const char *id, const char *why, uint64_t number)
{
	int64_t times = db_int(&s->ledger.db, "SELECT times FROM trouble WHERE id = ? AND sender = ?", "tt", id, s->fingerprint[j->sender]);

	db_run(&s->ledger.db, "INSERT INTO trouble(id, sender, reason, times, at) VALUES(?, ?, ?, 1, ?)"
	    " ON CONFLICT(id, sender) DO UPDATE SET reason = excluded.reason, times = times + 1, at = excluded.at", "ttti", id,
	    s->fingerprint[j->sender], why, (int64_t)(clock_wall_ms() / 1000));
	if (times == 0)
		refused_row(s, j, number, why);
	return times;
}

/* Nothing of it is kept; later rounds bring it again, since a key, a channel or
 * a cap may be put right, or the damage was ours. */
void refuse_object(struct store *s, struct job *j, const char *why, uint64_t number)
{
	bool settled = false;
	char id[33];
	int64_t times;

	tally_refused(s, j);
	job_show(id, j->id);
	db_exec(&s->ledger.db, "BEGIN IMMEDIATE");
	times = note_trouble(s, j, id, why, number);
	if (j->opened && j->result == 0 && j->inner.sender < s->conf.peers)
		settled = note_aside(s, j, id, why, number);
	db_exec(&s->ledger.db, "COMMIT");
	log_about(.event = LOG_EVENT_REFUSED, .channel = j->opened ? j->inner.channel : NULL, .object = id,
	    .peer = s->conf.peer[j->sender].name, .number = number);
	if ((times & (times - 1)) == 0 && !(settled && times > 0)) /* said the 1st, 2nd, 3rd, 5th, 9th ... time */
		log_warn(j->opened ? N_("object %s of peer %s: %s; discarded, to be gathered afresh (channel %s)") :
		    N_("object %s of peer %s: %s; discarded, to be gathered afresh"), id, s->conf.peer[j->sender].name, reason_show(why),
		    j->inner.channel);
	log_about(.event = LOG_EVENT_NONE);
	job_forget(s, j);
}

void refused_expired(struct store *s, const struct msg_object *o)
{
	struct job j = { .sender = o->sender, .slot = o->slot };
	char id[33];

	if (o->sender >= s->conf.peers)
		log_die(EXIT_INTERNAL, "link gave up an object of peer %u", o->sender);
	memcpy(j.id, o->id, sizeof(j.id));
	job_show(id, j.id);
	tally_refused(s, &j);
	db_exec(&s->ledger.db, "BEGIN IMMEDIATE");
	(void)note_trouble(s, &j, id, LEDGER_GIVEN_UP, 0);
	db_exec(&s->ledger.db, "COMMIT");
	log_about(.event = LOG_EVENT_REFUSED, .object = id, .peer = s->conf.peer[o->sender].name);
	log_warn("object %s of peer %s: %s", id, s->conf.peer[o->sender].name, reason_show(LEDGER_GIVEN_UP));
	log_about(.event = LOG_EVENT_NONE);
}
