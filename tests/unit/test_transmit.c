/* transmit.h: batches leave whole; what the kernel says about them is sorted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "host/log.h"
#include "sender/transmit.h"

enum { N = 300 };

/* A receiving socket on loopback and one connected to it. */
static void link_up(int *in, int *out)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);

	*in = socket(AF_INET, SOCK_DGRAM, 0);
	*out = socket(AF_INET, SOCK_DGRAM, 0);
	assert_int_equal(bind(*in, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(getsockname(*in, (struct sockaddr *)&a, &len), 0);
	assert_int_equal(connect(*out, (struct sockaddr *)&a, sizeof(a)), 0);
}

static void fill(struct transmit *t, unsigned n, uint8_t from)
{
	for (unsigned i = 0; i < n; i++) {
		memset(transmit_slot(t, t->filled), from + (int)i, N);
		transmit_push(t, NULL);
	}
}

static void batches(void **state)
{
	struct transmit t;
	uint8_t d[2 * N];
	int in, out;

	(void)state;
	link_up(&in, &out);
	transmit_init(&t, out, N);
	assert_int_equal(transmit_flush(&t, 1), 0); /* an empty one */
	for (unsigned size = 1; size <= TRANSMIT_SLOTS; size = size * 2 + 1) {
		fill(&t, size, 1);
		assert_int_equal(transmit_flush(&t, 1), 0);
		assert_int_equal(t.filled, 0);
		for (unsigned i = 0; i < size; i++) {
			assert_int_equal(recv(in, d, sizeof(d), MSG_DONTWAIT), N);
			assert_int_equal(d[0], 1 + i);
			assert_int_equal(d[N - 1], 1 + i);
		}
		assert_int_equal(recv(in, d, sizeof(d), MSG_DONTWAIT), -1);
	}
	transmit_free(&t);
	close(in);
	close(out);
}

/* Symbols that lie elsewhere, among datagrams that lie whole in their slots: the same bytes arrive, also where the
 * symbols' memory is given back before the batch leaves, and where a message is one datagram. */
static void gathered(void **state)
{
	static uint8_t elsewhere[TRANSMIT_SLOTS][N - FRAME_SYMBOL_OVERHEAD];
	struct transmit t;
	uint8_t d[2 * N];
	int in, out;

	(void)state;
	link_up(&in, &out);
	transmit_init(&t, out, N);
	for (unsigned round = 0; round < 4; round++) {
		if (round == 2)
			t.segments = 1;
		for (unsigned i = 0; i < TRANSMIT_SLOTS; i++) {
			memset(transmit_slot(&t, i), i % 5 == 4 ? (int)i : 0xEE, N);
			memset(transmit_slot(&t, i), (int)i, FRAME_SYMBOL_HEAD_LEN);
			memset(transmit_slot(&t, i) + N - FRAME_TAG_LEN, (int)i, FRAME_TAG_LEN);
			memset(elsewhere[i], (int)i, sizeof(elsewhere[i]));
			transmit_push(&t, i % 5 == 4 ? NULL : elsewhere[i]);
		}
		if (round % 2 == 1) {
			transmit_own(&t);
			memset(elsewhere, 0xDD, sizeof(elsewhere));
		}
		assert_int_equal(transmit_flush(&t, 1), 0);
		for (unsigned i = 0; i < TRANSMIT_SLOTS; i++) {
			assert_int_equal(recv(in, d, sizeof(d), MSG_DONTWAIT), N);
			for (unsigned j = 0; j < N; j++)
				assert_int_equal(d[j], i);
		}
	}
	transmit_free(&t);
	close(in);
	close(out);
}

/* Nobody listens: on loopback the kernel tells so.  Counted; sending goes on, and arrives when somebody listens again. */
static void nobody_there(void **state)
{
	struct sockaddr_in a;
	socklen_t len = sizeof(a);
	struct transmit t;
	uint8_t d[N];
	int in, out, got = 0;

	(void)state;
	link_up(&in, &out);
	assert_int_equal(getsockname(in, (struct sockaddr *)&a, &len), 0);
	close(in);
	transmit_init(&t, out, N);
	for (unsigned i = 0; i < 20; i++) {
		fill(&t, 10, 0);
		assert_int_equal(transmit_flush(&t, 1), 0);
	}
	assert_true(t.refused > 0);
	assert_int_equal(t.datagrams, 200);
	in = socket(AF_INET, SOCK_DGRAM, 0);
	assert_int_equal(bind(in, (struct sockaddr *)&a, sizeof(a)), 0);
	fill(&t, 10, 0);
	assert_int_equal(transmit_flush(&t, 1), 0);
	while (recv(in, d, sizeof(d), MSG_DONTWAIT) == N)
		got++;
	assert_int_equal(got, 10); /* the pending error costs none */
	transmit_free(&t);
	close(in);
	close(out);
}

/* A socket that takes no more: the rest stays, in order, and goes later. */
static void no_room(void **state)
{
	struct transmit t;
	uint8_t d[N];
	int pair[2];
	unsigned got = 0;
	uint64_t wait = 0;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), 0); /* blocks when full, as UDP does behind a slow device */
	transmit_init(&t, pair[0], N);
	for (unsigned i = 0; i < 1000 && wait == 0; i++) {
		fill(&t, 3, (uint8_t)(3 * i));
		wait = transmit_flush(&t, 1);
	}
	assert_in_range(wait, 1, 10000000);
	assert_true(t.blocked > 0);
	assert_int_equal(t.filled, 3);
	for (; recv(pair[1], d, sizeof(d), MSG_DONTWAIT) == N; got++)
		assert_int_equal(d[0], (uint8_t)got);
	assert_int_equal(got, t.datagrams);
	assert_int_equal(transmit_flush(&t, 1), 0);
	for (; recv(pair[1], d, sizeof(d), MSG_DONTWAIT) == N; got++)
		assert_int_equal(d[0], (uint8_t)got);
	assert_int_equal(got, t.datagrams);
	transmit_free(&t);
	close(pair[0]);
	close(pair[1]);
}

/* What one message holds: at most 64 datagrams and 65507 bytes. */
static void message_sizes(void **state)
{
	static const struct { uint32_t n; unsigned segments; } table[] = {
		{ 300, 64 }, { 1023, 64 }, { 1024, 63 }, { 1472, 44 }, { 8960, 7 }, { 32753, 2 }, { 32754, 1 }, { 65507, 1 },
		{ 65508, 1 }, { 0, 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		assert_int_equal(transmit_segments(table[i].n), table[i].segments);
}

/* A way that refuses segments (the kernel does where it may not make checksums): the same datagrams, each once, in order. */
static void no_segments(void **state)
{
	struct transmit t;
	uint8_t d[2 * N];
	int in, out, one = 1;

	(void)state;
	link_up(&in, &out);
	assert_int_equal(setsockopt(out, SOL_SOCKET, SO_NO_CHECK, &one, sizeof(one)), 0);
	transmit_init(&t, out, N);
	fill(&t, 1, 1); /* alone it passes, segments or not */
	assert_int_equal(transmit_flush(&t, 1), 0);
	fill(&t, TRANSMIT_SLOTS, 2);
	assert_int_equal(transmit_flush(&t, 1), 0);
	assert_int_equal(t.segments, 1);
	assert_int_equal(t.datagrams, 1 + TRANSMIT_SLOTS);
	for (unsigned i = 0; i < 1 + TRANSMIT_SLOTS; i++) {
		assert_int_equal(recv(in, d, sizeof(d), MSG_DONTWAIT), N);
		assert_int_equal(d[0], 1 + i);
	}
	transmit_free(&t);
	close(in);
	close(out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(batches), cmocka_unit_test(gathered), cmocka_unit_test(nobody_there), cmocka_unit_test(no_room),
		cmocka_unit_test(message_sizes), cmocka_unit_test(no_segments),
	};

	log_init("test", NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
