/* accept.h: epochs never go back, also over a restart; beats count upward. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "receiver/accept.h"
#include "tests/unit/seeded.h"

enum { N = 512 };

static struct receiver_conf conf;
static struct party_secret *sender, *receiver;
static struct accept *a;
static int floors;
static uint8_t d[N];
static struct session_keys keys;
static struct msg_session out;

static int setup(void **state)
{
	(void)state;
	sender = crypto_secret_alloc(sizeof(*sender));
	receiver = crypto_secret_alloc(sizeof(*receiver));
	party_generate(sender, PARTY_SENDER);
	party_generate(receiver, PARTY_RECEIVER);
	memset(&conf, 0, sizeof(conf));
	conf.peers = 1;
	strcpy(conf.peer[0].name, "mihon");
	conf.peer[0].party = sender->pub;
	floors = memfd_create("epochs", 0);
	a = accept_new(&conf, receiver, NULL, floors);
	return a == NULL;
}

static int teardown(void **state)
{
	(void)state;
	accept_free(a);
	close(floors);
	crypto_secret_free(sender);
	crypto_secret_free(receiver);
	return 0;
}

static enum accept_result hello(uint8_t lane, uint32_t epoch)
{
	assert_int_equal(session_start(d, N, &keys, sender, &receiver->pub, NULL, lane, epoch, 1000), 0);
	return accept_hello(a, 0, d, N, &out);
}

static void restart(void)
{
	accept_free(a);
	a = accept_new(&conf, receiver, NULL, floors);
	assert_non_null(a);
}

static void epochs_grow(void **state)
{
	(void)state;
	assert_int_equal(hello(0, 100), ACCEPT_NEW);
	assert_int_equal(out.epoch, 100);
	assert_int_equal(out.n, N);
	assert_memory_equal(out.tag_key, keys.tag, KEY_LEN); /* both sides have the same */
	assert_int_equal(accept_hello(a, 0, d, N, &out), ACCEPT_KNOWN);
	assert_int_equal(hello(0, 99), ACCEPT_OLD_EPOCH);
	assert_int_equal(hello(0, 101), ACCEPT_NEW);
	assert_int_equal(hello(0, 100), ACCEPT_OLD_EPOCH);
	assert_int_equal(hello(1, 7), ACCEPT_NEW); /* lanes count for themselves */
	assert_int_equal(accept_floor(a, 0, 0), 101);
	assert_int_equal(accept_floor(a, 0, 1), 7);
	restart();
	assert_int_equal(hello(0, 100), ACCEPT_OLD_EPOCH);
	assert_int_equal(hello(1, 6), ACCEPT_OLD_EPOCH);
	assert_int_equal(hello(0, 101), ACCEPT_NEW); /* the running session, after our restart */
	assert_int_equal(hello(0, 101), ACCEPT_NEW); /* a cloned sender: another ephemeral key */
	assert_int_equal(hello(0, UINT32_MAX), ACCEPT_NEW);
	assert_int_equal(hello(0, 102), ACCEPT_OLD_EPOCH);
}

/* The HELLO of the session before the newest, which goes on for two seconds beside it. */
static void overlap_is_no_alarm(void **state)
{
	uint8_t old[N];

	(void)state;
	assert_int_equal(hello(0, 100), ACCEPT_NEW);
	memcpy(old, d, N);
	assert_int_equal(hello(0, 101), ACCEPT_NEW);
	assert_int_equal(accept_hello(a, 0, old, N, &out), ACCEPT_KNOWN);
}

static void floor_cannot_be_stored(void **state)
{
	(void)state;
	accept_free(a);
	a = accept_new(&conf, receiver, NULL, -1);
	assert_int_equal(hello(0, 100), ACCEPT_UNSAVED);
	assert_int_equal(accept_floor(a, 0, 0), 0);
}

static void refused(void **state)
{
	(void)state;
	assert_int_equal(hello(0, 100), ACCEPT_NEW);
	for (size_t bit = 0; bit < N * 8; bit += 3) {
		if (bit / 8 >= N - FRAME_TAG_LEN)
			break; /* the tag is link's to check */
		d[bit / 8] ^= (uint8_t)(1u << (bit % 8));
		assert_int_equal(accept_hello(a, 0, d, N, &out), ACCEPT_REFUSED);
		d[bit / 8] ^= (uint8_t)(1u << (bit % 8));
	}
	assert_int_equal(accept_hello(a, 1, d, N, &out), ACCEPT_REFUSED); /* no such peer */
	assert_int_equal(accept_hello(a, 0, d, N, &out), ACCEPT_KNOWN);
}

static int beat(uint64_t counter, uint32_t epoch, struct beat *b)
{
	static uint8_t e[N];
	struct beat in = { .counter = counter, .count = 1 };
	struct frame_head h = { .kind = FRAME_BEAT, .len = N, .epoch = epoch, .pn = counter };
	struct msg_datagram m = { .sender = 0, .epoch = epoch, .lane = 0, .n = N };

	strcpy(in.entry[0].channel, "eltax");
	in.entry[0].newest = counter;
	frame_put_head(e, &h);
	assert_int_equal(beat_make(e, N, &in, keys.beat, sender), 0);
	return accept_beat(a, &m, e, b);
}

static void beats(void **state)
{
	struct beat b;

	(void)state;
	assert_int_equal(hello(0, 100), ACCEPT_NEW);
	assert_int_equal(beat(5, 100, &b), 0);
	assert_int_equal(b.entry[0].newest, 5);
	assert_int_equal(beat(5, 100, &b), -1); /* heard */
	assert_int_equal(beat(4, 100, &b), -1);
	assert_int_equal(beat(6, 99, &b), -1);  /* no such session */
	assert_int_equal(beat(7, 100, &b), 0);
	assert_int_equal(hello(0, 101), ACCEPT_NEW);
	assert_int_equal(beat(1, 101, &b), 0); /* the sender was set up anew: what it announces must not go unheard */
	assert_int_equal(beat(1, 101, &b), -1);
	assert_int_equal(beat(2, 101, &b), 0);
}

/* A key is revoked while its session stands: neither that one nor a new one is heard of any more. */
static void revoked(void **state)
{
	struct beat b;

	(void)state;
	assert_int_equal(hello(0, 100), ACCEPT_NEW);
	assert_int_equal(beat(5, 100, &b), 0);
	accept_revoke(a, 0);
	assert_int_equal(beat(6, 100, &b), -1);
	assert_int_equal(accept_hello(a, 0, d, N, &out), ACCEPT_REVOKED);
	assert_int_equal(hello(0, 101), ACCEPT_REVOKED);
	assert_int_equal(beat(1, 101, &b), -1);
	accept_revoke(a, RECEIVER_PEERS_MAX); /* nobody */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(epochs_grow, setup, teardown),
		cmocka_unit_test_setup_teardown(overlap_is_no_alarm, setup, teardown),
		cmocka_unit_test_setup_teardown(floor_cannot_be_stored, setup, teardown),
		cmocka_unit_test_setup_teardown(refused, setup, teardown),
		cmocka_unit_test_setup_teardown(beats, setup, teardown),
		cmocka_unit_test_setup_teardown(revoked, setup, teardown),
	};

	if (crypto_init() != 0)
		return 1;
	seeded_init();
	return cmocka_run_group_tests_name("accept", tests, NULL, NULL);
}
