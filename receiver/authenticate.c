/* authenticate.c - which datagrams are from a pinned sender (authenticate.h). */
#include "receiver/authenticate.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "codec/crypto.h"
#include "codec/session.h"
#include "codec/tag.h"
#include "core/replay.h"
#include "receiver/crowd.h"

enum {
	SESSIONS_PER_LANE = 2,
	HELLO_KEYS = 1 + RECEIVER_RETIRED_MAX,
	SESSIONS_MAX = CROWD_MAX,
	HELLOS_PER_S = 20, /* of each sender, as the next two: handed to open, which checks signatures */
	BEATS_PER_S = 20,
	OLD_HELLOS_PER_S = 1, /* of an epoch below the newest: whoever recorded many must not crowd out the true one */
	HELLO_AGAIN_NS = 1000000000, /* the same HELLO not again within this time */
	HELLOS_KEPT = 32,
	KEYS_AHEAD = 16, /* one-time keys made in one call: packet numbers nearly always follow each other */
};

struct session {
	uint8_t *key; /* secret memory: the tag key, then KEYS_AHEAD one-time keys */
	uint64_t keys_from; /* packet number of the first of these, a multiple of KEYS_AHEAD */
	bool keys_made;
	uint32_t sender, lane, epoch, n;
	uint64_t serial; /* order of arrival */
	struct replay replay;
};

struct budget { /* so many in each second */
	uint64_t second;
	unsigned spent;
};

struct authenticate {
	struct crypto_onetime *onetime;
	uint32_t peers;
	uint8_t id[RECEIVER_PEERS_MAX][8];
	unsigned keys[RECEIVER_PEERS_MAX];
	uint8_t *hello_key; /* secret memory, HELLO_KEYS of 32 bytes for each peer */
	struct session *session[SESSIONS_MAX];
	uint32_t sessions, last; /* last: index of the one used last */
	uint64_t serial;
	struct { /* of each sender: none can spend what the others need */
		struct budget hellos, old_hellos, beats;
	} budget[RECEIVER_PEERS_MAX];
	struct {
		uint8_t tag[FRAME_TAG_LEN];
		uint64_t at_ns;
	} seen[HELLOS_KEPT];
	unsigned seen_at;
};

static void end_session(struct session *s)
{
	crypto_secret_free(s->key);
	free(s);
}

void authenticate_free(struct authenticate *a)
{
	if (a == NULL)
		return;
	for (uint32_t i = 0; i < a->sessions; i++)
		end_session(a->session[i]);
	crypto_secret_free(a->hello_key);
	crypto_onetime_free(a->onetime);
	free(a);
}

struct authenticate *authenticate_new(void)
{
	struct authenticate *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return NULL;
	a->hello_key = crypto_secret_alloc(RECEIVER_PEERS_MAX * HELLO_KEYS * KEY_LEN);
	a->onetime = crypto_onetime_new();
	if (a->hello_key == NULL || a->onetime == NULL) {
		authenticate_free(a);
		return NULL;
	}
	return a;
}

static uint8_t *hello_key(const struct authenticate *a, uint32_t peer, unsigned key)
{
	return a->hello_key + ((size_t)peer * HELLO_KEYS + key) * KEY_LEN;
}

void authenticate_peer(struct authenticate *a, const struct msg_peer *p)
{
	uint32_t i = 0;

	while (i < a->peers && memcmp(a->id[i], p->id, 8) != 0)
		i++;
	if (i == RECEIVER_PEERS_MAX || a->keys[i] == HELLO_KEYS)
		return;
	memcpy(a->id[i], p->id, 8);
	memcpy(hello_key(a, i, a->keys[i]++), p->hello_key, KEY_LEN);
	if (i == a->peers)
		a->peers++;
}

uint32_t authenticate_peers(const struct authenticate *a)
{
	return a->peers;
}

const uint8_t (*authenticate_ids(const struct authenticate *a))[8]
{
	return a->id;
}

/* Of a full lane the one to give up: the lowest epoch, of equal ones (a cloned
 * sender) the one that came first. */
static uint32_t oldest_of_lane(const struct authenticate *a, const struct msg_session *s, unsigned *count)
{
	uint32_t oldest = SESSIONS_MAX;

	*count = 0;
	for (uint32_t i = 0; i < a->sessions; i++) {
		const struct session *x = a->session[i];
		if (x->sender != s->sender || x->lane != s->lane)
			continue;
		(*count)++;
		if (oldest == SESSIONS_MAX || x->epoch < a->session[oldest]->epoch ||
		    (x->epoch == a->session[oldest]->epoch && x->serial < a->session[oldest]->serial))
			oldest = i;
	}
	return oldest;
}

/* All places are taken: the one to give up for a session of this sender. */
static uint32_t one_too_many(const struct authenticate *a, uint32_t sender)
{
	struct crowd_member m[SESSIONS_MAX];

	for (uint32_t i = 0; i < SESSIONS_MAX; i++)
		m[i] = (struct crowd_member){ a->session[i]->sender, a->session[i]->serial };
	return crowd_too_many(m, SESSIONS_MAX, sender);
}

static void drop_session(struct authenticate *a, uint32_t i)
{
	end_session(a->session[i]);
	a->session[i] = a->session[--a->sessions];
	a->last = 0;
}

void authenticate_session(struct authenticate *a, const struct msg_session *s)
{
	struct session *x;
	unsigned count;
	uint32_t oldest;

	if (s->sender >= a->peers)
		return; /* open is not itself */
	for (uint32_t i = 0; i < a->sessions; i++) {
		x = a->session[i];
		if (x->sender == s->sender && x->lane == s->lane && x->epoch == s->epoch &&
		    crypto_equal(x->key, s->tag_key, TAG_KEY_LEN))
			return; /* its HELLO again */
	}
	oldest = oldest_of_lane(a, s, &count);
	if (count >= SESSIONS_PER_LANE) {
		if (s->epoch < a->session[oldest]->epoch)
			return;
		drop_session(a, oldest);
	} else if (a->sessions == SESSIONS_MAX) {
		drop_session(a, one_too_many(a, s->sender));
	}
	if ((x = calloc(1, sizeof(*x))) == NULL)
		return; /* its HELLO comes again */
	if ((x->key = crypto_secret_alloc(TAG_KEY_LEN + KEYS_AHEAD * TAG_ONCE_STRIDE)) == NULL) {
		free(x);
		return;
	}
	memcpy(x->key, s->tag_key, TAG_KEY_LEN);
	x->sender = s->sender;
	x->lane = s->lane;
	x->epoch = s->epoch;
	x->n = s->n;
	x->serial = ++a->serial;
	replay_init(&x->replay);
	a->session[a->sessions++] = x;
}

void authenticate_end(struct authenticate *a, uint32_t sender)
{
	for (uint32_t i = a->sessions; i-- > 0;)
		if (a->session[i]->sender == sender)
			drop_session(a, i);
}

enum link_counter authenticate_count(enum frame_err e)
{
	switch (e) {
	case FRAME_ESIZE:
		return LC_SIZE;
	case FRAME_EMAGIC:
		return LC_MAGIC;
	case FRAME_EKIND:
		return LC_KIND;
	case FRAME_EGEOM:
		return LC_GEOMETRY;
	default:
		return LC_FIELD;
	}
}

static int spend(struct budget *b, uint64_t now_ns, unsigned max)
{
	uint64_t second = now_ns / 1000000000;

	if (b->second != second) {
		b->second = second;
		b->spent = 0;
	}
	if (b->spent >= max)
		return 0;
	b->spent++;
	return 1;
}

/* Was the HELLO with this (verified) tag handed on a moment ago?  Notes it. */
static int hello_again(struct authenticate *a, const uint8_t *tag, uint64_t now_ns)
{
	for (unsigned i = 0; i < HELLOS_KEPT; i++)
		if (a->seen[i].at_ns != 0 && memcmp(a->seen[i].tag, tag, FRAME_TAG_LEN) == 0) {
			if (now_ns - a->seen[i].at_ns < HELLO_AGAIN_NS)
				return 1;
			a->seen[i].at_ns = now_ns;
			return 0;
		}
	memcpy(a->seen[a->seen_at].tag, tag, FRAME_TAG_LEN);
	a->seen[a->seen_at].at_ns = now_ns;
	a->seen_at = (a->seen_at + 1) % HELLOS_KEPT;
	return 0;
}

/* May open be bothered with this authentic HELLO now? */
static int may_hand_on(struct authenticate *a, uint32_t sender, const struct frame_head *h, uint64_t now_ns)
{
	for (uint32_t i = 0; i < a->sessions; i++)
		if (a->session[i]->sender == sender && a->session[i]->lane == h->lane && h->epoch < a->session[i]->epoch)
			return spend(&a->budget[sender].old_hellos, now_ns, OLD_HELLOS_PER_S);
	return spend(&a->budget[sender].hellos, now_ns, HELLOS_PER_S);
}

static enum link_counter hello(struct authenticate *a, const uint8_t *d, size_t n, uint64_t now_ns, const struct frame_head *h, uint32_t *sender)
{
	for (uint32_t i = 0; i < a->peers; i++) {
		if (memcmp(a->id[i], session_sender_id(d), 8) != 0)
			continue;
		unsigned k = 0;
		while (k < a->keys[i] && tag_hello_verify(d, n, hello_key(a, i, k)) != 0)
			k++;
		if (k == a->keys[i])
			return LC_PEER;
		*sender = i;
		if (hello_again(a, d + n - FRAME_TAG_LEN, now_ns) || !may_hand_on(a, i, h, now_ns))
			return LC_REPEAT;
		return LC_HELLO;
	}
	return LC_PEER;
}

static const uint8_t *once(struct session *s, uint64_t pn)
{
	uint64_t from = pn - pn % KEYS_AHEAD;

	if (!s->keys_made || s->keys_from != from) {
		tag_keys(s->key + TAG_KEY_LEN, s->key, from, KEYS_AHEAD);
		s->keys_from = from;
		s->keys_made = true;
	}
	return s->key + TAG_KEY_LEN + (size_t)(pn - from) * TAG_ONCE_STRIDE;
}

/* One session: 1 with *c set if the datagram is its own or a replay, 0 if another may know it. */
static int try_session(struct authenticate *a, uint32_t i, const uint8_t *d, size_t n, uint64_t now_ns, const struct frame_head *h,
    uint32_t *sender, enum link_counter *c)
{
	struct session *s = a->session[i];

	if (s->epoch != h->epoch || s->lane != h->lane)
		return 0;
	if (s->n != n) {
		*c = LC_SIZE; /* a session has one length */
		return 0;
	}
	if (!replay_fresh(&s->replay, h->pn)) {
		*c = LC_REPLAY;
		return 0;
	}
	if (tag_verify_once(a->onetime, once(s, h->pn), d, n) != 0) {
		*c = LC_TAG;
		return 0;
	}
	replay_mark(&s->replay, h->pn);
	a->last = i;
	*sender = s->sender;
	*c = LC_TAKEN;
	if (h->kind == FRAME_BEAT)
		*c = spend(&a->budget[s->sender].beats, now_ns, BEATS_PER_S) ? LC_BEAT : LC_REPEAT;
	return 1;
}

enum link_counter authenticate(struct authenticate *a, const uint8_t *d, size_t n, uint64_t now_ns, struct frame_head *h,
    uint32_t *sender)
{
	enum link_counter c = LC_EPOCH;
	enum frame_err e = frame_head(h, d, n);

	if (e != FRAME_OK)
		return authenticate_count(e);
	if (h->kind == FRAME_HELLO)
		return hello(a, d, n, now_ns, h, sender);
	/* Nearly always the session of the datagram before. */
	if (a->last < a->sessions && try_session(a, a->last, d, n, now_ns, h, sender, &c))
		return c;
	for (uint32_t i = 0, last = a->last; i < a->sessions; i++)
		if (i != last && try_session(a, i, d, n, now_ns, h, sender, &c))
			return c;
	return c;
}
