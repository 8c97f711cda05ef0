/* rekey.h - the spool's side of sessions (PROTOCOL.md, section 4): a fresh
 * epoch and ephemeral key at the start and every ten minutes, and a beat a
 * second under the session that the link speaks in. */
#ifndef KM_REKEY_H
#define KM_REKEY_H

#include <stdbool.h>
#include <stdint.h>

#include "codec/beat.h"
#include "codec/session.h"
#include "sender/messages.h"

#define REKEY_NS (600 * 1000000000ull)
#define BEAT_NS 1000000000ull

struct rekey { /* holds keys: lives in crypto_secret_alloc() memory */
	const struct party_secret *me;
	const struct party *receiver;
	const uint8_t *psk;
	uint8_t lane;
	uint32_t n;
	struct { uint32_t epoch; uint64_t from_ns, wall_ms; struct session_keys keys; } session[2]; /* current, next */
	uint64_t next_ns;         /* when to begin another */
	struct msg_session message;
	bool to_say;              /* message is not with the link yet */
	uint8_t *datagram;        /* n bytes: a HELLO or a beat in the making, 8 bytes free before it */
};

int rekey_init(struct rekey *r, const struct party_secret *me, const struct party *receiver, const uint8_t *psk,
    unsigned lane, uint32_t n) __attribute__((warn_unused_result));
void rekey_free(struct rekey *r);
/* Is it time for another session? */
bool rekey_due(const struct rekey *r, uint64_t now_ns);
/* Begin it, under an epoch that is already stored. */
void rekey_begin(struct rekey *r, uint32_t epoch, uint64_t now_ns, uint64_t wall_ms);
/* Say to the link what is still to be said. */
void rekey_say(struct rekey *r, int link);
/* Seal *b under the session in force now and give it to the link. */
void rekey_beat(struct rekey *r, int link, const struct beat *b, uint64_t now_ns);
/* The epoch in force now, and since when (wall clock). */
uint32_t rekey_epoch(const struct rekey *r, uint64_t now_ns, uint64_t *since_ms);

#endif
