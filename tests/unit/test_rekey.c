/* rekey.h, link_session.h: sessions from the spool's key to the datagram, as the receiver sees them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/ipc_send.h"
#include "host/log.h"
#include "sender/link_session.h"
#include "sender/rekey.h"

#define MS 1000000ull
#define S (1000 * MS)
enum { N = 512 };

static struct party_secret *sender, *receiver;
static struct rekey *rekey;
static int pair[2]; /* spool's end, link's end */
static struct ipc_msg msg;

static int setup(void **state)
{
	(void)state;
	if (crypto_init() != 0)
		return -1;
	log_init("test", NULL);
	sender = crypto_secret_alloc(sizeof(*sender));
	receiver = crypto_secret_alloc(sizeof(*receiver));
	rekey = crypto_secret_alloc(sizeof(*rekey));
	party_generate(sender, PARTY_SENDER);
	party_generate(receiver, PARTY_RECEIVER);
	ipc_pair(pair);
	return rekey_init(rekey, sender, &receiver->pub, NULL, 3, N);
}

static int teardown(void **state)
{
	(void)state;
	rekey_free(rekey);
	crypto_secret_free(rekey);
	crypto_secret_free(sender);
	crypto_secret_free(receiver);
	close(pair[0]);
	close(pair[1]);
	return 0;
}

/* Take the message that the spool wrote into a session of the link. */
static void take(struct link_session *s, uint64_t now)
{
	assert_int_equal(ipc_recv(pair[1], &msg), IPC_GOT);
	if (msg.type == MSG_SESSION)
		link_session_start(s, ipc_body(&msg, sizeof(struct msg_session)), now);
	else
		link_session_beat(s, &msg);
}

static void begin(struct link_session *s, uint32_t epoch, uint64_t now)
{
	assert_true(rekey_due(rekey, now));
	rekey_begin(rekey, epoch, now, 1795231909000);
	assert_false(rekey_due(rekey, now));
	rekey_say(rekey, pair[0]);
	take(s, now);
}

static void expect_hello(const uint8_t *d, uint32_t epoch, struct session_keys *keys)
{
	struct frame_head h;

	assert_int_equal(frame_head(&h, d, N), FRAME_OK);
	assert_int_equal(h.kind, FRAME_HELLO);
	assert_int_equal(h.epoch, epoch);
	assert_int_equal(h.lane, 3);
	assert_int_equal(session_accept(d, N, keys, receiver, &sender->pub, NULL), SESSION_OK);
}

static void a_session_from_start_to_end(void **state)
{
	struct link_session now = { 0 }, next = { 0 };
	struct session_keys keys, keys2;
	struct frame_head h;
	uint64_t due = 0, t = 5 * S;
	struct beat b = { .counter = 7, .time_ms = 8, .count = 1, .entry = { { .channel = "eltax", .newest = 5, .oldest = 2 } } };
	struct beat got;
	uint8_t d[N];

	(void)state;
	begin(&now, 100, t);
	assert_int_equal(now.from_ns, t + HELLO_COPIES * HELLO_APART_NS);
	for (unsigned i = 0; i < HELLO_COPIES; i++) {
		assert_true(link_session_control(&now, d, t, &due));
		expect_hello(d, 100, &keys);
		assert_false(link_session_control(&now, d, t, &due));
		assert_int_equal(due, i + 1 < HELLO_COPIES ? t + HELLO_APART_NS : t + HELLO_AGAIN_NS);
		t = due;
	}
	assert_memory_equal(keys.tag, now.tag_key, sizeof(keys.tag));

	rekey_beat(rekey, pair[0], &b, t);
	take(&now, t);
	assert_true(link_session_control(&now, d, t, &due)); /* HELLO first */
	expect_hello(d, 100, &keys2);
	assert_true(link_session_control(&now, d, t, &due));
	assert_int_equal(frame_head(&h, d, N), FRAME_OK);
	assert_int_equal(h.kind, FRAME_BEAT);
	assert_int_equal(h.pn, 1);
	assert_int_equal(tag_verify(keys.tag, h.pn, d, N), 0);
	assert_int_equal(beat_open(&got, d, N, keys.beat, &sender->pub), 0);
	assert_int_equal(got.counter, 7);
	assert_string_equal(got.entry[0].channel, "eltax");
	/* The same beat again a second later, under another packet number, so another tag. */
	while (!link_session_control(&now, d, t, &due) || d[3] != FRAME_BEAT)
		t = due > t ? due : t;
	assert_int_equal(frame_head(&h, d, N), FRAME_OK);
	assert_int_equal(h.pn, 2);
	assert_int_equal(tag_verify(keys.tag, 2, d, N), 0);

	/* Ten minutes later: the next one beside it for two seconds. */
	assert_false(rekey_due(rekey, 5 * S + REKEY_NS - 1));
	t = 5 * S + REKEY_NS;
	begin(&next, 101, t);
	assert_int_equal(next.from_ns, t + SESSION_OVERLAP_NS);
	assert_true(link_session_control(&next, d, t, &due));
	expect_hello(d, 101, &keys2);
	assert_memory_not_equal(keys.tag, keys2.tag, sizeof(keys.tag));
	/* The spool's beats follow the link's change. */
	rekey_beat(rekey, pair[0], &b, t + SESSION_OVERLAP_NS - 1);
	assert_int_equal(ipc_recv(pair[1], &msg), IPC_GOT);
	assert_int_equal(((struct msg_beat *)(void *)msg.body)->epoch, 100);
	rekey_beat(rekey, pair[0], &b, t + SESSION_OVERLAP_NS);
	take(&next, t + SESSION_OVERLAP_NS);
	assert_int_equal(((struct msg_beat *)(void *)msg.body)->epoch, 101);
	t += SESSION_OVERLAP_NS - 1;
	while (link_session_control(&next, d, t, &due))
		assert_int_equal(d[3], FRAME_HELLO); /* no beat before its time */
	link_session_end(&now);
	link_session_end(&next);
}

/* The socket is full: nothing is lost but the beat, and the session is said when there is room. */
static void a_busy_link(void **state)
{
	struct link_session s = { 0 };
	struct beat b = { .counter = 1 };
	uint64_t t = 100000 * S;
	unsigned filled = 0;

	(void)state;
	begin(&s, 200, t); /* so that there is a session in force */
	t += REKEY_NS;
	assert_int_equal(fcntl(pair[0], F_SETFL, O_NONBLOCK), 0);
	while (ipc_write(pair[0], 99, &b, sizeof(b)) == 1)
		filled++;
	assert_true(filled > 0);
	rekey_begin(rekey, 201, t, 0);
	rekey_say(rekey, pair[0]);
	assert_true(rekey->to_say);
	assert_false(rekey_due(rekey, t + REKEY_NS)); /* one after the other */
	rekey_beat(rekey, pair[0], &b, t);
	while (filled-- > 0)
		assert_int_equal(ipc_recv(pair[1], &msg), IPC_GOT);
	rekey_say(rekey, pair[0]);
	assert_false(rekey->to_say);
	take(&s, t);
	assert_int_equal(s.epoch, 201);
	link_session_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_session_from_start_to_end), cmocka_unit_test(a_busy_link),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
