/* link_session.c - see link_session.h. */
#include "sender/link_session.h"

#include <stdlib.h>
#include <string.h>

#include "codec/beat.h"
#include "codec/crypto.h"
#include "host/exits.h"
#include "host/log.h"

void link_session_start(struct link_session *s, const struct msg_session *m, uint64_t now_ns)
{
	if (m->n < FRAME_MIN_LEN || m->n > FRAME_MAX_LEN || m->lane > FRAME_LANE_MAX)
		log_die(EXIT_INTERNAL, "a session of datagrams of %u bytes", m->n);
	link_session_end(s);
	s->hello = calloc(1, m->n);
	s->beat = calloc(1, m->n);
	if (s->hello == NULL || s->beat == NULL)
		log_die(EXIT_SYSTEM, "out of memory");
	memcpy(s->hello, m->hello, HELLO_HEAD_LEN);
	memcpy(s->hello + m->n - FRAME_TAG_LEN, m->hello_tag, FRAME_TAG_LEN);
	memcpy(s->tag_key, m->tag_key, TAG_KEY_LEN);
	s->epoch = m->epoch;
	s->n = m->n;
	s->lane = (uint8_t)m->lane;
	s->hello_ns = s->beat_ns = now_ns;
	s->from_ns = now_ns + (m->at_once ? HELLO_COPIES * HELLO_APART_NS : SESSION_OVERLAP_NS);
	s->used = true;
}

void link_session_beat(struct link_session *s, const struct ipc_msg *m)
{
	size_t body = s->n - BEAT_AT - FRAME_TAG_LEN;

	if (m->len != sizeof(struct msg_beat) + body)
		log_die(EXIT_INTERNAL, "a beat of %zu bytes", m->len);
	memcpy(s->beat + BEAT_AT, m->body + sizeof(struct msg_beat), body);
	s->has_beat = true;
}

void link_session_end(struct link_session *s)
{
	crypto_wipe(s->tag_key, sizeof(s->tag_key));
	free(s->hello);
	free(s->beat);
	memset(s, 0, sizeof(*s));
}

static void finish_beat(struct link_session *s, uint8_t *d)
{
	const struct frame_head h = {
		.kind = FRAME_BEAT, .len = (uint16_t)s->n, .lane = s->lane, .epoch = s->epoch, .pn = ++s->pn,
	};
	uint8_t once[64];

	memcpy(d, s->beat, s->n);
	frame_put_head(d, &h);
	tag_keys(once, s->tag_key, h.pn, 1);
	tag_make(d + s->n - FRAME_TAG_LEN, once, d, s->n);
	crypto_wipe(once, sizeof(once));
}

bool link_session_control(struct link_session *s, uint8_t *d, uint64_t now_ns, uint64_t *next_ns)
{
	if (s->hello_ns <= now_ns) {
		memcpy(d, s->hello, s->n);
		if (s->copies < HELLO_COPIES)
			s->copies++;
		s->hello_ns = now_ns + (s->copies < HELLO_COPIES ? HELLO_APART_NS : HELLO_AGAIN_NS);
		return true;
	}
	if (s->has_beat && s->from_ns <= now_ns && s->beat_ns <= now_ns) {
		finish_beat(s, d);
		s->beat_ns = now_ns + BEAT_APART_NS;
		return true;
	}
	*next_ns = s->hello_ns;
	if (s->has_beat) {
		uint64_t beat_ns = s->beat_ns > s->from_ns ? s->beat_ns : s->from_ns;
		*next_ns = beat_ns < *next_ns ? beat_ns : *next_ns;
	}
	return false;
}
