/* No datagram asks for memory on its way from the object's file to the socket, nor does a further
 * group of blocks: link_batch.c, round.h, encode.h and transmit.h with the real code. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "codec/crypto.h"
#include "host/log.h"
#include "sender/link_private.h"
#include "tests/unit/count_malloc.h"

enum { SLEN = 1344, N = SLEN + FRAME_SYMBOL_OVERHEAD, K = 400, BLOCKS = 12, WARM = 4, REPAIR = 50 /* parity of a size that the encoder keeps */ };

static struct link l;

static void link_up(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);
	int in = socket(AF_INET, SOCK_DGRAM, 0), out = socket(AF_INET, SOCK_DGRAM, 0); /* what does not fit in is dropped */

	assert_int_equal(bind(in, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(getsockname(in, (struct sockaddr *)&at, &len), 0);
	assert_int_equal(connect(out, (struct sockaddr *)&at, sizeof(at)), 0);
	transmit_init(&l.out, out, N);
}

static void begin(void)
{
	const struct layout_block b = { .r = REPAIR, .r1 = REPAIR, .mlog = 6 };
	const struct layout layout = { .slen = SLEN, .kfull = K, .depth = 1, .full = b, .last = b, .tail = b, .tail_first = LAYOUT_NO_TAIL };
	static const uint8_t id[FRAME_ID_LEN] = { 1 };
	int fd = memfd_create("object", MFD_CLOEXEC);

	link_up();
	assert_int_equal(ftruncate(fd, (off_t)BLOCKS * K * SLEN), 0);
	l.conf.n = N;
	l.now = (struct link_session){ .used = true, .epoch = 7, .n = N, .copies = HELLO_COPIES, .hello_ns = UINT64_MAX, .beat_ns = UINT64_MAX };
	l.pacing = pacing_of(10000000000ull, 300000, N, l.out.segments, TRANSMIT_SLOTS);
	l.encoder = encoder_start(NULL);
	l.tagger = crypto_onetime_new();
	assert_non_null(l.tagger);
	assert_int_equal(round_init(&l.flight[0].round, fd, id, (uint64_t)BLOCKS * K * SLEN, &layout, 0), 0);
	l.flight[0].row = 1;
	l.item[0] = (struct schedule_item){ .used = true, .left = l.flight[0].round.left * N };
}

/* So many more datagrams, as the link's loop does it. */
static void send_some(uint64_t datagrams)
{
	uint64_t until = l.out.datagrams + datagrams, wake = UINT64_MAX;

	while (l.out.datagrams < until && !l.flight[0].ended) {
		struct pollfd p = { .fd = encoder_fd(l.encoder), .events = POLLIN };
		link_fill_batch(&l, 1000, &wake);
		if (l.out.filled == 0 && !l.flight[0].ended)
			assert_int_equal(poll(&p, 1, 10000), 1);
		encoder_clear(l.encoder);
		assert_int_equal(transmit_flush(&l.out, 1000), 0);
	}
}

static void no_allocation(void **state)
{
	(void)state;
	begin();
	send_some(WARM * (K + REPAIR));
	unsigned long warm = malloc_count;
	send_some((BLOCKS - WARM - 1) * (K + REPAIR));
	unsigned long more = malloc_count - warm;
#if COUNT_MALLOC
	assert_true(warm > 0); /* the encoder's memory: what is counted here is counted */
	assert_int_equal(more, 0);
#else
	(void)warm, (void)more;
#endif
	send_some(UINT32_MAX);
	assert_true(l.flight[0].ended && !l.flight[0].failed);
	assert_int_equal(l.out.datagrams, BLOCKS * (K + REPAIR));
	encoder_stop(l.encoder);
	crypto_onetime_free(l.tagger);
	close(l.out.fd);
	transmit_free(&l.out);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(no_allocation) };

	log_init_tool("test");
	assert_int_equal(crypto_init(), 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
