/* firmware/node: a node from reset to fault, on a board and between MACs that this file plays.  What happens, and in
 * which order, is written down as letters:
 *
 *   h f  MAC host, MAC fibre off     w  watchdog started   t T  transmit started at host, fibre
 *   .    watchdog fed                R  board reset        r Q  receive started at host, fibre
 *
 * The egress node is the same file again (test_node_egress.c). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "board/board.h"
#include "core/frame.h"
#include "firmware/filter.h"
#include "firmware/mac.h"
#include "node/clock.h"
#include "node/console.h"
#include "node/keep.c"
#include "node/console.c"
#include "node/selftest.c"
#include "node/node.c"

/* Symbols of the linker script: a stack of 64 words, and an image of 512 zero bytes with the CRC of that. */
__asm__(".data\n.balign 8\n"
    ".globl stack_bottom\nstack_bottom: .zero 256\n.globl stack_top\nstack_top:\n"
    ".globl image_start\nimage_start: .zero 512\n.globl image_end\nimage_end:\n"
    ".globl keep_place\nkeep_place: .zero 64\n"
    ".globl seal\nseal: .long 0x6B6D7365, 512, 0xB2AA7578\n.text\n");
/* The node sees both as constants; what the compiler must not know is that they change. */
static uint32_t *volatile seal_words;
static uint8_t *volatile image_bytes;

enum { D = 1472, EVENTS = 4096, QUEUE = 64 };

static struct {
	uint64_t ticks, end;   /* us; the end of the test's patience */
	char event[EVENTS];
	size_t events;
	char said[65536];      /* the console */
	size_t saying;
	const uint8_t *frame[QUEUE];
	size_t len[QUEUE], frames, taken, given_back;
	uint8_t out[2048];
	size_t out_len, sent;
	int full;              /* no room to transmit */
	unsigned bad_receive, bad_transmit; /* the check at which a register is wrong, from 1; 0 = never */
	unsigned checks;
	int running;
} rig;
static jmp_buf over;

static void note(char c)
{
	if (rig.events < EVENTS - 1)
		rig.event[rig.events++] = c;
}

/* The board. */
void board_init(void) {}
uint64_t board_ticks(void) { return rig.ticks++; }
void board_watchdog_start(void) { note('w'); }
void board_watchdog_feed(void) { note('.'); }
int uart_room(void) { return 1; }
int uart_idle(void) { return 1; }

void uart_put(char c)
{
	assert_true(rig.saying < sizeof rig.said - 1);
	rig.said[rig.saying++] = c;
}

void board_sleep(void)
{
	rig.ticks += 10000;
	if (rig.ticks >= rig.end)
		longjmp(over, 1);
}

void board_reset(void)
{
	note('R');
	longjmp(over, 2);
}

/* The MACs. */
void mac_off(uintptr_t regs)
{
	note(regs == MAC_HOST ? 'h' : 'f');
	rig.running = 0;
}

void mac_receive_start(uintptr_t regs, const uint8_t mac[6])
{
	static const uint8_t want[6] = ROLE_RECEIVE_ADDRESS;

	assert_memory_equal(mac, want, 6);
	note(regs == MAC_HOST ? 'r' : 'Q');
	rig.running = 1;
}

void mac_transmit_start(uintptr_t regs, const uint8_t mac[6])
{
	static const uint8_t want[6] = ROLE_TRANSMIT_ADDRESS;

	assert_memory_equal(mac, want, 6);
	note(regs == MAC_HOST ? 't' : 'T');
}

const uint8_t *mac_receive(uintptr_t regs, size_t *n)
{
	assert_int_equal(regs, ROLE_RECEIVE);
	assert_int_equal(rig.taken, rig.given_back); /* one at a time */
	assert_true(rig.running);
	if (rig.taken == rig.frames)
		return NULL;
	*n = rig.len[rig.taken];
	return rig.frame[rig.taken++];
}

void mac_receive_done(void) { rig.given_back++; }
uint32_t mac_receive_full(void) { return 7; }
uint8_t *mac_transmit_room(void) { return rig.full ? NULL : rig.out; }

void mac_transmit(uintptr_t regs, size_t n)
{
	assert_int_equal(regs, ROLE_TRANSMIT);
	assert_true(rig.running);
	rig.out_len = n;
	rig.sent++;
}

static int register_check(unsigned bad, struct mac_fault *f)
{
	*f = (struct mac_fault){ 0x24, 0x4, 0xC };
	return bad != 0 && rig.checks >= bad ? -1 : 0;
}

int mac_receive_check(uintptr_t regs, struct mac_fault *f)
{
	assert_int_equal(regs, ROLE_RECEIVE);
	rig.checks++;
	return register_check(rig.bad_receive, f);
}

int mac_transmit_check(uintptr_t regs, struct mac_fault *f)
{
	assert_int_equal(regs, ROLE_TRANSMIT);
	return register_check(rig.bad_transmit, f);
}

/* As if the power came on, but for what a reset leaves in memory. */
static void fresh(void)
{
	memset(&rig, 0, sizeof rig);
	memset(stack_bottom, 0, 256);
	seal_words = (uint32_t *)(uintptr_t)&seal;
	image_bytes = (uint8_t *)(uintptr_t)image_start;
	memset(image_bytes, 0, 512);
	memset(&filter, 0, sizeof filter);
	from = used = 0;
	no_room = 0;
	seal_words[2] = 0xB2AA7578;
	rig.end = 100000; /* 100 ms */
}

/* 1: the test's time is over; 2: the board was reset. */
static int run(void)
{
	int r = setjmp(over);

	if (r == 0)
		node_main();
	rig.event[rig.events] = '\0';
	rig.said[rig.saying] = '\0';
	return r;
}

static void add_frame(const uint8_t *f, size_t n)
{
	rig.frame[rig.frames] = f;
	rig.len[rig.frames++] = n;
}

/* What the node's receiving side gets, and what must come out of the other. */
static uint8_t good[1536] __attribute__((aligned(4))), want[1536] __attribute__((aligned(4)));
static size_t good_len, want_len;

static void make_frames(void)
{
	static uint8_t datagram[D] __attribute__((aligned(4)));
	static const struct frame_head head = { FRAME_SYMBOL, D, 0, 4, 7, 9 };
	static const struct filter_conf conf = ROLE_FILTER;
	const struct link_frame link = { 5, 1, datagram, D };

	for (unsigned i = 0; i < D; i++)
		datagram[i] = (uint8_t)(i * 3);
	frame_put_head(datagram, &head);
#ifdef NODE_EGRESS
	good_len = link_frame_put(good, sizeof good, &link);
	want_len = udp_frame_put(want, sizeof want, datagram, D, &conf.from, &conf.to);
#else
	good_len = udp_frame_put(good, sizeof good, datagram, D, &conf.from, &conf.to);
	want_len = link_frame_put(want, sizeof want, &link);
#endif
}

#ifdef NODE_EGRESS
#define STARTED "hfwtQ."
#else
#define STARTED "hfwTr."
#endif

static void starts_in_order_and_feeds_the_watchdog(void **state)
{
	(void)state;
	fresh();
	assert_int_equal(run(), 1);
	/* Off, self-tests, watchdog, ports, a check before the first frame; then one every 10 ms. */
	assert_memory_equal(rig.event, STARTED, 6);
	assert_int_equal(strspn(rig.event + 5, "."), rig.events - 5);
	assert_in_range(rig.events - 5, 9, 12);
	assert_memory_equal(rig.said, "start node=" ROLE_NAME " board=test ", 16 + sizeof ROLE_NAME);
	assert_non_null(strstr(rig.said, " config=12345678 image=b2aa7578 "));
}

static void passes_what_is_good(void **state)
{
	static uint8_t bad[1536] __attribute__((aligned(4)));

	(void)state;
	fresh();
	make_frames();
	memcpy(bad, good, good_len);
	bad[700] ^= 1;
	add_frame(bad, good_len);
	add_frame(good, 0); /* the piece of a frame that was too long */
	add_frame(good, good_len);
	assert_int_equal(run(), 1);
	assert_int_equal(rig.given_back, 3);
	assert_int_equal(rig.sent, 1);
	assert_int_equal(rig.out_len, want_len);
#ifdef NODE_EGRESS
	assert_memory_equal(rig.out, want, want_len);
#else
	assert_memory_equal(rig.out + LINK_HEAD_LEN, want + LINK_HEAD_LEN, D); /* the epoch is the node's own */
#endif
	assert_int_equal(filter.count.why[FILTER_PASS], 1);
	assert_int_equal(filter.count.why[FILTER_SIZE], 1);
}

static void takes_nothing_while_there_is_no_room(void **state)
{
	(void)state;
	fresh();
	make_frames();
	add_frame(good, good_len);
	rig.full = 1;
	rig.end = 30000; /* it does not sleep, so time goes by its own looks at the clock */
	rig.bad_receive = 4;
	assert_int_equal(run(), 2);
	assert_int_equal(rig.taken, 0);
	assert_true(no_room > 0);
}

static const struct {
	const char *why;
	unsigned receive, transmit, at; /* the check that fails */
} wrong[] = {
	{ "the receiving MAC is wrong at once", 1, 0, 1 },
	{ "the transmitting MAC is wrong at once", 0, 1, 1 },
	{ "the receiving MAC later", 5, 0, 5 },
	{ "the transmitting MAC later", 0, 5, 5 },
};

static void a_wrong_register_shuts_both_ports(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		fresh();
		make_frames();
		for (unsigned k = 0; k < QUEUE; k++)
			add_frame(good, good_len);
		rig.bad_receive = wrong[i].receive;
		rig.bad_transmit = wrong[i].transmit;
		assert_int_equal(run(), 2);
		assert_int_equal(rig.checks, wrong[i].at);
		/* Behind the last good check: both off (at once, and once more before the reset), and no feeding. */
		char expected[64] = STARTED;
		expected[5] = '\0';
		for (unsigned k = 1; k < wrong[i].at; k++)
			strcat(expected, ".");
		strcat(expected, "hfhfR");
		if (strcmp(rig.event, expected) != 0)
			fail_msg("%s: %s instead of %s", wrong[i].why, rig.event, expected);
		if (wrong[i].at == 1)
			assert_int_equal(rig.taken, 0); /* shut before the first frame */
		assert_non_null(strstr(rig.said, wrong[i].receive ? "port=" ROLE_RECEIVE_NAME : "port=" ROLE_TRANSMIT_NAME));
		assert_non_null(strstr(rig.said, "fault node=" ROLE_NAME " why=direction "));
		assert_non_null(strstr(rig.said, " register=00000024 want=00000004 got=0000000c\r\n"));
		/* The reset comes a second later, and the next start tells of it. */
		assert_true(rig.ticks > 1000000);
		uint32_t boots = keep.boots;
		fresh();
		assert_int_equal(run(), 1);
		assert_int_equal(keep.boots, boots + 1);
		assert_non_null(strstr(rig.said, " last=direction\r\n"));
	}
	fresh(); /* that one ended without a fault, but nothing can know why */
	assert_int_equal(run(), 1);
	assert_non_null(strstr(rig.said, " last=reset\r\n"));
}

/* A fault before the ports are on: they never come on. */
static void a_bad_image_never_opens(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		fresh();
		if (i == 0)
			seal_words[2] ^= 1; /* another CRC */
		else
			image_bytes[i == 1 ? 0 : 511] ^= 0x80; /* a bit of the first byte, of the last */
		assert_int_equal(run(), 2);
		assert_string_equal(rig.event, "hfhfhfR");
		assert_non_null(strstr(rig.said, " why=image "));
		assert_null(strchr(rig.event, 'w'));
	}
}

static void (*spoil)(void);

/* Spoil something in the middle of a run: at the 3rd frame. */
static void spoil_and_expect(void (*how)(void), const char *why)
{
	spoil = how;
	fresh();
	assert_int_equal(run(), 1); /* nothing wrong so far */
	size_t fed = rig.events;
	rig.events = rig.saying = 0;
	how();
	rig.end += 1000000;
	int r = setjmp(over);
	if (r == 0)
		for (;;) { /* as node_main() does */
			check();
			board_sleep();
		}
	rig.event[rig.events] = rig.said[rig.saying] = '\0';
	assert_int_equal(r, 2);
	assert_true(fed > 0);
	assert_string_equal(rig.event + strspn(rig.event, "."), "hfhfR");
	assert_in_range(strspn(rig.event, "."), 0, 4);
	assert_non_null(strstr(rig.said, why));
}

static void spoil_stack(void) { stack_bottom[0] = 0; }
static void spoil_image(void) { image_bytes[300] = 1; }

static void what_breaks_later_shuts_too(void **state)
{
	(void)state;
	spoil_and_expect(spoil_stack, " why=stack\r\n");
	spoil_and_expect(spoil_image, " why=image test=image\r\n");
}

static void exceptions_shut(void **state)
{
	(void)state;
	fresh();
	int r = setjmp(over);
	if (r == 0)
		node_exception(4, 0x1234);
	rig.event[rig.events] = rig.said[rig.saying] = '\0';
	assert_int_equal(r, 2);
	assert_string_equal(rig.event, "hfhfR");
	assert_string_equal(rig.said, "fault node=" ROLE_NAME " why=exception kind=4 at=00001234\r\n");
}

static void counts_every_second(void **state)
{
	unsigned lines = 0;

	(void)state;
	fresh();
	make_frames();
	add_frame(good, good_len);
	rig.end = 5500000;
	assert_int_equal(run(), 1);
	console_flush();
	rig.said[rig.saying] = '\0';
	for (const char *p = rig.said; (p = strstr(p, "count node=" ROLE_NAME " t=")) != NULL; p++)
		lines++;
	assert_int_equal(lines, 6); /* 0 to 5 s */
	for (unsigned i = 0; i < FILTER_WHYS; i++) { /* every counter by its name */
		char word[40];
		(void)snprintf(word, sizeof word, " %s=", filter_whystr((enum filter_why)i));
		assert_non_null(strstr(rig.said, word));
	}
	assert_non_null(strstr(rig.said, " pass=1 "));
	assert_non_null(strstr(rig.said, " full=7 "));
}

static void boot_epochs_differ(void **state)
{
	uint32_t seen[8];

	(void)state;
	for (unsigned i = 0; i < 8; i++) {
		fresh();
		rig.ticks = 100; /* the same time each time, so that only what was kept differs */
		assert_int_equal(run(), 1);
		seen[i] = keep.noise;
		for (unsigned j = 0; j < i; j++)
			assert_int_not_equal(seen[i], seen[j]);
	}
	memset(keep_place, 0xA7, 64); /* noise of a power-up: no record, so the count begins again */
	fresh();
	assert_int_equal(run(), 1);
	assert_int_equal(keep.boots, 1);
	assert_non_null(strstr(rig.said, " boot=1 last=none\r\n"));
}

static void long_lines_are_left_out_whole(void **state)
{
	(void)state;
	fresh();
	console_begin("first");
	console_dec("n", UINT64_MAX);
	console_dec("z", 0);
	console_hex("h", 0xDEADBEEF);
	console_end();
	console_begin("second");
	for (unsigned i = 0; i < 200; i++)
		console_text("too", "much of a line");
	console_end();
	console_begin("third");
	console_end();
	console_flush();
	rig.said[rig.saying] = '\0';
	assert_string_equal(rig.said, "first n=18446744073709551615 z=0 h=deadbeef\r\nthird\r\n");
}

static void clocks(void **state)
{
	static const uint32_t hz[] = { 1000000, 8000000, 62500000, 100000000, 333333333, 1000000000 };

	(void)state;
	for (size_t i = 0; i < sizeof hz / sizeof hz[0]; i++) {
		struct clock c;
		uint64_t t = 12345, ns = 0;
		clock_init(&c, hz[i], t);
		for (unsigned s = 0; s < 1000; s++)
			ns = clock_ns(&c, t += hz[i] / 10);
		/* A hundred seconds, to a millionth: the rest of a nanosecond is carried on. */
		assert_in_range(ns, 99999900000, 100000100000);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(starts_in_order_and_feeds_the_watchdog), cmocka_unit_test(passes_what_is_good),
		cmocka_unit_test(takes_nothing_while_there_is_no_room), cmocka_unit_test(a_wrong_register_shuts_both_ports),
		cmocka_unit_test(a_bad_image_never_opens), cmocka_unit_test(what_breaks_later_shuts_too),
		cmocka_unit_test(exceptions_shut), cmocka_unit_test(counts_every_second), cmocka_unit_test(boot_epochs_differ),
		cmocka_unit_test(long_lines_are_left_out_whole), cmocka_unit_test(clocks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
