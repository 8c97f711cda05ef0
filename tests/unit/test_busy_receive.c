/* From the socket to the object's file no datagram asks for memory: receive.h,
 * authenticate.h and assemble.h with the real code, an object of several pieces
 * that comes over a socket. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <sys/socket.h>

#include "codec/crypto.h"
#include "codec/tag.h"
#include "receiver/authenticate.h"
#include "receiver/receive.h"
#include "tests/unit/count_malloc.h"
#include "tests/unit/receiver_rig.h"

enum { N = RIG_SLEN + FRAME_SYMBOL_OVERHEAD, K = 4000, BURST = 40, EPOCH = 7 };

static struct rig r;
static struct sent s;
static struct receive *in;
static struct authenticate *a;
static uint64_t pn;
static int out;

static void link_up(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);
	int sock = socket(AF_INET, SOCK_DGRAM, 0);

	out = socket(AF_INET, SOCK_DGRAM, 0);
	assert_int_equal(bind(sock, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(getsockname(sock, (struct sockaddr *)&at, &len), 0);
	assert_int_equal(connect(out, (struct sockaddr *)&at, sizeof(at)), 0);
	in = receive_new(sock);
	assert_non_null(in);
}

static void session(void)
{
	struct msg_peer p = { .id = { 1 } };
	struct msg_session m = { .epoch = EPOCH, .n = N };

	a = authenticate_new();
	assert_non_null(a);
	authenticate_peer(a, &p);
	authenticate_session(a, &m); /* the key is all zeros */
}

static void send_symbol(uint32_t block, uint32_t i)
{
	static const uint8_t key[TAG_KEY_LEN];
	struct frame_head h = { .kind = FRAME_SYMBOL, .len = N, .epoch = EPOCH, .mlog = s.mlog, .pn = ++pn };
	struct frame_symbol f = sent_symbol(&s, block, i);
	uint8_t d[N], once[TAG_ONCE_STRIDE];

	frame_put_symbol(d, &h, &f);
	memcpy(d + FRAME_SYMBOL_HEAD_LEN, sent_data(&s, block, i), RIG_SLEN);
	tag_keys(once, key, pn, 1);
	tag_make(d + N - FRAME_TAG_LEN, once, d, N);
	assert_int_equal(send(out, d, N, 0), N);
}

/* What the link process does with what the socket has; how many symbols were taken. */
static unsigned take_all(void)
{
	struct frame_head h;
	struct frame_symbol f;
	const uint8_t *d;
	uint32_t who;
	unsigned taken = 0;
	size_t n;

	while (receive_batch(in) > 0) {
		while ((d = receive_next(in, &n)) != NULL) {
			assert_int_equal(authenticate(a, d, n, r.now, &h, &who), LC_TAKEN);
			assert_int_equal(frame_symbol(&f, &h, d), FRAME_OK);
			taken += assemble_symbol(r.a, who, &f, d + FRAME_SYMBOL_HEAD_LEN, r.now) == LC_TAKEN;
		}
		assemble_write(r.a);
		receive_release(in);
	}
	assemble_tick(r.a, r.now += 1000000);
	return taken;
}

/* Symbols from .. to-1 of a block, in bursts; how often memory was asked for. */
static unsigned long cross(uint32_t block, uint32_t from, uint32_t to)
{
	unsigned long before = malloc_count;
	unsigned taken = 0;

	for (uint32_t i = from; i < to;) {
		for (unsigned n = 0; n < BURST && i < to; n++)
			send_symbol(block, i++);
		taken += take_all();
	}
	assert_int_equal(taken, to - from);
	return malloc_count - before;
}

static void no_allocation(void **state)
{
	(void)state;
	rig_init(&r, NULL);
	rig_fresh_slots(&r, 1);
	sent_make(&s, 2 * K * RIG_SLEN, K, 5, seeded); /* gathered in pieces: longer than STAGE_OBJECT_MIN */
	link_up();
	session();
	unsigned long first = cross(0, 0, BURST);
	unsigned long lossless = cross(0, BURST, K - BURST);
	cross(0, K - BURST, K);
	cross(1, 0, BURST);
	unsigned long later = cross(1, 2 * BURST, K); /* one burst is lost */
#if COUNT_MALLOC
	assert_true(first > 0); /* the object itself: what is counted here is counted */
	assert_int_equal(lossless, 0);
	assert_int_equal(later, 0);
#else
	(void)first, (void)lossless, (void)later;
#endif
	cross(1, K, K + 32);
	for (uint32_t i = BURST; i < BURST + 8; i++)
		cross(1, i, i + 1); /* then what is there and the repair symbols suffice */
	rig_settle(&r);
	assert_int_equal(r.completed, 1);
	assert_true(rig_same(&r, &s));
	sent_free(&s);
	rig_end(&r);
	authenticate_free(a);
	receive_free(in);
	close(out);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(no_allocation) };

	seeded_init();
	assert_int_equal(crypto_init(), 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
