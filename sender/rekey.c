/* rekey.c - see rekey.h. */
#include "sender/rekey.h"

#include <stdlib.h>
#include <string.h>

#include "host/exits.h"
#include "host/ipc_recv.h"
#include "host/log.h"
#include "sender/link_session.h"

int rekey_init(struct rekey *r, const struct party_secret *me, const struct party *receiver, const uint8_t *psk,
    unsigned lane, uint32_t n)
{
	r->me = me;
	r->receiver = receiver;
	r->psk = psk;
	r->lane = (uint8_t)lane;
	r->n = n;
	r->datagram = calloc(1, n);
	return r->datagram == NULL ? -1 : 0;
}

void rekey_free(struct rekey *r)
{
	free(r->datagram);
	crypto_wipe(r, sizeof(*r));
}

bool rekey_due(const struct rekey *r, uint64_t now_ns)
{
	return r->next_ns <= now_ns && !r->to_say;
}

void rekey_begin(struct rekey *r, uint32_t epoch, uint64_t now_ns, uint64_t wall_ms)
{
	bool first = r->session[0].epoch == 0;
	unsigned at = first ? 0 : 1;

	if (!first && r->session[1].epoch != 0)
		r->session[0] = r->session[1];
	if (session_start(r->datagram, r->n, &r->session[at].keys, r->me, r->receiver, r->psk, r->lane, epoch, wall_ms) != 0)
		log_die(EXIT_KEYS, "no session with this receiver's key: is receiver.pub the right file?");
	r->session[at].epoch = epoch;
	r->session[at].wall_ms = wall_ms;
	r->session[at].from_ns = now_ns + (first ? 0 : SESSION_OVERLAP_NS);
	r->next_ns = now_ns + REKEY_NS;
	r->message = (struct msg_session){ .epoch = epoch, .n = r->n, .lane = r->lane, .at_once = first };
	memcpy(r->message.tag_key, r->session[at].keys.tag, TAG_KEY_LEN);
	memcpy(r->message.hello, r->datagram, HELLO_HEAD_LEN);
	memcpy(r->message.hello_tag, r->datagram + r->n - FRAME_TAG_LEN, FRAME_TAG_LEN);
	r->to_say = true;
}

void rekey_say(struct rekey *r, int link)
{
	if (!r->to_say || ipc_write(link, MSG_SESSION, &r->message, sizeof(r->message)) != 1)
		return;
	r->to_say = false;
	crypto_wipe(&r->message, sizeof(r->message));
}

static unsigned in_force(const struct rekey *r, uint64_t now_ns)
{
	return r->session[1].epoch != 0 && r->session[1].from_ns <= now_ns ? 1 : 0;
}

void rekey_beat(struct rekey *r, int link, const struct beat *b, uint64_t now_ns)
{
	unsigned at = in_force(r, now_ns);
	struct msg_beat head = { .epoch = r->session[at].epoch };
	size_t body = r->n - BEAT_AT - FRAME_TAG_LEN;

	if (head.epoch == 0 || r->to_say)
		return;
	if (beat_make(r->datagram, r->n, b, r->session[at].keys.beat, r->me) != 0)
		log_die(EXIT_INTERNAL, "a beat could not be made");
	/* The message's head takes the place of the datagram's, which the link writes. */
	_Static_assert(sizeof(head) <= BEAT_AT, "room before the body");
	memcpy(r->datagram + BEAT_AT - sizeof(head), &head, sizeof(head));
	if (ipc_write(link, MSG_BEAT, r->datagram + BEAT_AT - sizeof(head), sizeof(head) + body) == 0)
		log_debug("the link is busy: a beat is left out");
}

uint32_t rekey_epoch(const struct rekey *r, uint64_t now_ns, uint64_t *since_ms)
{
	unsigned at = in_force(r, now_ns);

	*since_ms = r->session[at].wall_ms;
	return r->session[at].epoch;
}
