/* authenticate.h: the order of checks of PROTOCOL 3.6, sessions and epochs,
 * and what is handed to the open process how often. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "codec/crypto.h"
#include "codec/session.h"
#include "codec/tag.h"
#include "receiver/authenticate.h"
#include "tests/unit/seeded.h"

enum { N = 256 };
#define S 1000000000ull

static struct authenticate *a;
static struct party_secret *sender[2], *receiver;
static struct msg_peer peer[2];
static uint8_t d[FRAME_MAX_LEN];
static struct frame_head h;
static uint32_t who;
static uint64_t now;

static int setup(void **state)
{
	(void)state;
	a = authenticate_new();
	assert_non_null(a);
	receiver = crypto_secret_alloc(sizeof(*receiver));
	party_generate(receiver, PARTY_RECEIVER);
	for (int i = 0; i < 2; i++) {
		sender[i] = crypto_secret_alloc(sizeof(*sender[i]));
		party_generate(sender[i], PARTY_SENDER);
		memcpy(peer[i].id, sender[i]->pub.id, 8);
		assert_int_equal(session_hello_key(peer[i].hello_key, receiver, &sender[i]->pub, NULL), 0);
		authenticate_peer(a, &peer[i]);
	}
	assert_int_equal(authenticate_peers(a), 2);
	now = 100 * S;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	authenticate_free(a);
	for (int i = 0; i < 2; i++)
		crypto_secret_free(sender[i]);
	crypto_secret_free(receiver);
	return 0;
}

static struct msg_session session(uint32_t from, uint32_t lane, uint32_t epoch, uint8_t key)
{
	struct msg_session s = { .sender = from, .lane = lane, .epoch = epoch, .n = N };

	memset(s.tag_key, key, sizeof(s.tag_key));
	authenticate_session(a, &s);
	return s;
}

/* A datagram under a session's key. */
static enum link_counter give(const struct msg_session *s, enum frame_kind kind, uint64_t pn, size_t n)
{
	struct frame_head head = { .kind = kind, .len = (uint16_t)n, .lane = (uint8_t)s->lane, .epoch = s->epoch, .pn = pn };
	uint8_t once[64];

	memset(d, 0x5A, n);
	frame_put_head(d, &head);
	tag_keys(once, s->tag_key, pn, 1);
	tag_make(d + n - FRAME_TAG_LEN, once, d, n);
	return authenticate(a, d, n, now, &h, &who);
}

static void hello(int from, uint32_t epoch)
{
	struct session_keys k;

	assert_int_equal(session_start(d, N, &k, sender[from], &receiver->pub, NULL, 0, epoch, 1000), 0);
}

static void sessions(void **state)
{
	struct msg_session s1, s2, s3, other = { .sender = 0, .lane = 0, .epoch = 9, .n = N };

	(void)state;
	assert_int_equal(give(&other, FRAME_SYMBOL, 1, N), LC_EPOCH); /* nothing known yet */
	s1 = session(0, 0, 10, 1);
	assert_int_equal(give(&s1, FRAME_SYMBOL, 1, N), LC_TAKEN);
	assert_int_equal(who, 0);
	assert_int_equal(h.pn, 1);
	assert_int_equal(give(&s1, FRAME_SYMBOL, 1, N), LC_REPLAY);
	assert_int_equal(give(&s1, FRAME_SYMBOL, 3, N), LC_TAKEN);
	assert_int_equal(give(&s1, FRAME_SYMBOL, 2, N), LC_TAKEN); /* late, not seen */
	assert_int_equal(give(&s1, FRAME_SYMBOL, 4, N + 64), LC_SIZE); /* a session has one length */
	/* two at a time: the old goes on until a third comes */
	s2 = session(0, 0, 11, 2);
	assert_int_equal(give(&s1, FRAME_SYMBOL, 5, N), LC_TAKEN);
	assert_int_equal(give(&s2, FRAME_SYMBOL, 1, N), LC_TAKEN);
	session(0, 0, 11, 2); /* its HELLO again empties no window */
	assert_int_equal(give(&s2, FRAME_SYMBOL, 1, N), LC_REPLAY);
	s3 = session(0, 0, 12, 3);
	assert_int_equal(give(&s1, FRAME_SYMBOL, 6, N), LC_EPOCH);
	assert_int_equal(give(&s2, FRAME_SYMBOL, 2, N), LC_TAKEN);
	assert_int_equal(give(&s3, FRAME_SYMBOL, 1, N), LC_TAKEN);
	session(0, 0, 10, 1); /* older than both: not taken up */
	assert_int_equal(give(&s1, FRAME_SYMBOL, 7, N), LC_EPOCH);
}

/* Lanes, and two senders that started in the same second. */
static void same_epoch(void **state)
{
	struct msg_session x = session(0, 0, 10, 1), y = session(1, 0, 10, 2), z = session(0, 1, 10, 3);

	(void)state;
	for (uint64_t pn = 1; pn < 50; pn++) {
		assert_int_equal(give(&x, FRAME_SYMBOL, pn, N), LC_TAKEN);
		assert_int_equal(who, 0);
		assert_int_equal(give(&y, FRAME_SYMBOL, pn, N), LC_TAKEN);
		assert_int_equal(who, 1);
		assert_int_equal(give(&z, FRAME_SYMBOL, pn, N), LC_TAKEN);
		assert_int_equal(h.lane, 1);
	}
}

/* Nothing with a wrong tag moves anything, wherever the bit is. */
static void every_bit(void **state)
{
	struct msg_session s = session(0, 0, 10, 1);

	(void)state;
	for (uint64_t pn = 1, bit = 0; bit < N * 8; bit += 5, pn++) {
		struct frame_head head = { .kind = FRAME_SYMBOL, .len = N, .epoch = 10, .pn = pn };
		uint8_t once[64];
		memset(d, 0xA5, N);
		frame_put_head(d, &head);
		tag_keys(once, s.tag_key, pn, 1);
		tag_make(d + N - FRAME_TAG_LEN, once, d, N);
		d[bit / 8] ^= (uint8_t)(1u << (bit % 8));
		enum link_counter c = authenticate(a, d, N, now, &h, &who);
		assert_true(c >= LC_SIZE && c < LC_WAYS);
		d[bit / 8] ^= (uint8_t)(1u << (bit % 8));
		assert_int_equal(authenticate(a, d, N, now, &h, &who), LC_TAKEN); /* the number was not marked */
	}
	/* far beyond the window, with a wrong tag: the window stays */
	struct msg_session wrong = s;
	wrong.tag_key[0] ^= 1;
	assert_int_equal(give(&wrong, FRAME_SYMBOL, 1ull << 40, N), LC_TAG);
	assert_int_equal(give(&s, FRAME_SYMBOL, 100000, N), LC_TAKEN);
}

static void shapes(void **state)
{
	struct msg_session s = session(0, 0, 10, 1);

	(void)state;
	assert_int_equal(give(&s, FRAME_SYMBOL, 1, N), LC_TAKEN);
	for (size_t n = 0; n < N; n++)
		assert_int_equal(authenticate(a, d, n, now, &h, &who), LC_SIZE);
	d[0] ^= 1;
	assert_int_equal(authenticate(a, d, N, now, &h, &who), LC_MAGIC);
	d[0] ^= 1;
	d[3] = 9;
	assert_int_equal(authenticate(a, d, N, now, &h, &who), LC_KIND);
	d[3] = FRAME_SYMBOL;
	d[6] = 16;
	assert_int_equal(authenticate(a, d, N, now, &h, &who), LC_FIELD);
}

static void hellos(void **state)
{
	struct msg_session s;

	(void)state;
	hello(1, 50);
	assert_int_equal(authenticate(a, d, N, now, &h, &who), LC_HELLO);
	assert_int_equal(who, 1);
	assert_int_equal(authenticate(a, d, N, now + S / 2, &h, &who), LC_REPEAT); /* the same, too soon */
	assert_int_equal(authenticate(a, d, N, now + S, &h, &who), LC_HELLO);
	d[100] ^= 1;
	assert_int_equal(authenticate(a, d, N, now, &h, &who), LC_PEER); /* tag */
	d[100] ^= 1;
	d[20] ^= 1;
	assert_int_equal(authenticate(a, d, N, now, &h, &who), LC_PEER); /* not pinned */
	/* a flood of different ones: so many a second, no more */
	unsigned handed = 0;
	now += 10 * S;
	for (uint32_t i = 0; i < 100; i++) {
		hello(0, 60 + i);
		handed += authenticate(a, d, N, now, &h, &who) == LC_HELLO;
	}
	assert_int_equal(handed, 20);
	hello(1, 51); /* nor does the other sender wait for it */
	assert_int_equal(authenticate(a, d, N, now, &h, &who), LC_HELLO);
	/* a flood of old ones does not crowd out the true one */
	now += 10 * S;
	s = session(0, 0, 1000, 1);
	assert_int_equal(s.epoch, 1000);
	handed = 0;
	for (uint32_t i = 0; i < 100; i++) {
		hello(0, 200 + i);
		handed += authenticate(a, d, N, now, &h, &who) == LC_HELLO;
	}
	assert_int_equal(handed, 1);
	hello(0, 1001);
	assert_int_equal(authenticate(a, d, N, now, &h, &who), LC_HELLO);
}

static void beats(void **state)
{
	struct msg_session s = session(0, 0, 10, 1), other = session(1, 1, 10, 2);
	unsigned handed = 0;

	(void)state;
	for (uint64_t pn = 1; pn <= 100; pn++)
		handed += give(&s, FRAME_BEAT, pn, N) == LC_BEAT;
	assert_int_equal(handed, 20);
	assert_int_equal(give(&other, FRAME_BEAT, 1, N), LC_BEAT); /* the other sender's do not wait for it */
	now += S;
	assert_int_equal(give(&s, FRAME_BEAT, 101, N), LC_BEAT);
	assert_int_equal(give(&s, FRAME_BEAT, 101, N), LC_REPLAY);
}

/* Sessions come and go; the table has an end. */
static void many_sessions(void **state)
{
	struct msg_session s;

	(void)state;
	for (uint32_t i = 0; i < 1000; i++)
		s = session(i % 2, i % 16, 10 + i, (uint8_t)(i + 1));
	assert_int_equal(give(&s, FRAME_SYMBOL, 1, N), LC_TAKEN);
}

/* A sender that begins sessions on every lane ends none of the others'. */
static void crowd(void **state)
{
	struct msg_session of[RECEIVER_PEERS_MAX];

	(void)state;
	for (uint32_t i = 2; i < RECEIVER_PEERS_MAX; i++) {
		struct msg_peer p = { .id = { (uint8_t)i, 1 } };
		authenticate_peer(a, &p);
	}
	for (uint32_t i = 1; i < RECEIVER_PEERS_MAX; i++)
		for (uint32_t epoch = 1; epoch <= 2; epoch++)
			of[i] = session(i, 0, 100 * i + epoch, (uint8_t)(i + 1));
	for (uint32_t i = 0; i < 200; i++)
		of[0] = session(0, i % 16, 10000 + i, 1);
	for (uint32_t i = 0; i < RECEIVER_PEERS_MAX; i++)
		assert_int_equal(give(&of[i], FRAME_SYMBOL, 1, N), LC_TAKEN);
	of[1].sender = RECEIVER_PEERS_MAX; /* nobody: open is not itself */
	authenticate_session(a, &of[1]);
}

/* A key was revoked: all sessions of its sender end, and nobody else's. */
static void ended(void **state)
{
	struct msg_session x = session(0, 0, 10, 1), y = session(1, 0, 10, 2), z = session(0, 1, 11, 3), u = session(0, 0, 12, 4);

	(void)state;
	assert_int_equal(give(&x, FRAME_SYMBOL, 1, N), LC_TAKEN);
	authenticate_end(a, 0);
	assert_int_equal(give(&x, FRAME_SYMBOL, 2, N), LC_TAG); /* only the other's session has this lane and epoch */
	assert_int_equal(give(&z, FRAME_BEAT, 1, N), LC_EPOCH);
	assert_int_equal(give(&u, FRAME_SYMBOL, 1, N), LC_EPOCH);
	assert_int_equal(give(&y, FRAME_SYMBOL, 1, N), LC_TAKEN);
	assert_int_equal(who, 1);
	authenticate_end(a, 1);
	assert_int_equal(give(&y, FRAME_SYMBOL, 2, N), LC_EPOCH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(sessions, setup, teardown),
		cmocka_unit_test_setup_teardown(same_epoch, setup, teardown),
		cmocka_unit_test_setup_teardown(every_bit, setup, teardown),
		cmocka_unit_test_setup_teardown(shapes, setup, teardown),
		cmocka_unit_test_setup_teardown(hellos, setup, teardown),
		cmocka_unit_test_setup_teardown(beats, setup, teardown),
		cmocka_unit_test_setup_teardown(many_sessions, setup, teardown),
		cmocka_unit_test_setup_teardown(crowd, setup, teardown),
		cmocka_unit_test_setup_teardown(ended, setup, teardown),
	};

	if (crypto_init() != 0)
		return 1;
	seeded_init();
	return cmocka_run_group_tests_name("authenticate", tests, NULL, NULL);
}
