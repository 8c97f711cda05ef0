/* node.c - see node.h */
#include "node/node.h"

#include <stddef.h>

#include "board/board.h"
#include "cpu/cpu.h"
#include "firmware/filter.h"
#include "firmware/link_frame.h"
#include "firmware/mac.h"
#include "node/clock.h"
#include "node/console.h"
#include "node/keep.h"
#include "node/role.h"
#include "node/seal.h"
#include "node/selftest.h"

enum {
	CHECK_NS = 10000000,
	REPORT_NS = 1000000000,
	HOLD_S = 1, /* from a fault to the reset: a fault that stays must not become a stream of starts */
	AT_ONCE = 8, /* frames between two looks at the clock */
	STACK_MARK = 0x53544B21,
};

extern uint32_t stack_bottom[], stack_top[]; /* link.ld */

static struct filter filter;
static struct clock clock;
static struct keep keep;
static uint64_t check_at, report_at, no_room;

static const char *fault_name(uint32_t f)
{
	static const char *const name[FAULTS] = { "none", "ram", "image", "filter", "config", "direction", "stack", "exception",
		"reset" };

	return f < FAULTS ? name[f] : "unknown";
}

static uint64_t now(void)
{
	return clock_ns(&clock, board_ticks());
}

static void ports_off(void)
{
	mac_off(MAC_HOST);
	mac_off(MAC_FIBRE);
}

/* The line was begun by the caller, who may have put pairs into it. */
static _Noreturn void fault(enum node_fault why)
{
	ports_off();
	keep.fault = why;
	keep_store(&keep);
	console_end();
	console_flush();
	for (uint64_t t = board_ticks(); board_ticks() - t < (uint64_t)HOLD_S * BOARD_HZ;)
		;
	board_reset();
	for (;;) /* the watchdog does it, or nothing: the ports are off */
		cpu_sleep();
}

static void fault_begin(enum node_fault why)
{
	ports_off();
	console_begin("fault");
	console_text("node", ROLE_NAME);
	console_text("why", fault_name(why));
}

void node_ram_fault(volatile const uint32_t *where)
{
	board_init();
	fault_begin(FAULT_RAM);
	console_hex("at", (uint32_t)(uintptr_t)where);
	fault(FAULT_RAM);
}

void node_exception(uint32_t kind, uintptr_t where)
{
	fault_begin(FAULT_EXCEPTION);
	console_dec("kind", kind);
	console_hex("at", (uint32_t)where);
	fault(FAULT_EXCEPTION);
}

static void self_test(enum node_fault why, const char *failed)
{
	if (failed == NULL)
		return;
	fault_begin(why);
	console_text("test", failed);
	fault(why);
}

static void say_start(void)
{
	console_begin("start");
	console_text("node", ROLE_NAME);
	console_text("board", BOARD_NAME);
	console_text("version", KM_VERSION);
	console_hex("config", CONFIG_IDENTITY);
	console_hex("image", seal.crc);
	console_dec("boot", keep.boots);
	console_text("last", fault_name(keep.fault));
	console_end();
}

/* A number that differs at each start: what the memory held, and the time, which no two starts have alike. */
static void mix_epoch(void)
{
	const uint64_t t = board_ticks();
	const uint32_t mixed[3] = { keep.noise, (uint32_t)t, (uint32_t)(t >> 32) };

	keep.noise = link_crc32((const uint8_t *)mixed, sizeof mixed);
	keep_store(&keep);
}

static void port_fault(const char *port, const struct mac_fault *f)
{
	fault_begin(FAULT_DIRECTION);
	console_text("port", port);
	console_hex("register", f->offset);
	console_hex("want", f->want);
	console_hex("got", f->got);
	fault(FAULT_DIRECTION);
}

static void check(void)
{
	struct mac_fault f;

	if (mac_receive_check(ROLE_RECEIVE, &f) != 0)
		port_fault(ROLE_RECEIVE_NAME, &f);
	if (mac_transmit_check(ROLE_TRANSMIT, &f) != 0)
		port_fault(ROLE_TRANSMIT_NAME, &f);
	if (stack_bottom[0] != STACK_MARK) {
		fault_begin(FAULT_STACK);
		fault(FAULT_STACK);
	}
	self_test(FAULT_IMAGE, selftest_image_step()); /* code lies in RAM on most boards, and RAM ages */
	board_watchdog_feed();
	console_pump();
}

static void start(void)
{
	static const struct filter_conf conf = ROLE_FILTER;
	static const uint8_t receive[6] = ROLE_RECEIVE_ADDRESS, transmit[6] = ROLE_TRANSMIT_ADDRESS;

	ports_off();
	board_init();
	clock_init(&clock, BOARD_HZ, board_ticks());
	keep_load(&keep);
	keep.boots++;
	mix_epoch();
	stack_bottom[0] = STACK_MARK;
	say_start();
	keep.fault = FAULT_RESET; /* until something else is known */
	keep_store(&keep);
	self_test(FAULT_IMAGE, selftest_image());
	self_test(FAULT_FILTER, selftest_filter());
#ifdef NODE_EGRESS
	self_test(FAULT_CONFIG, filter_egress_init(&filter, &conf, now()) != 0 ? "refused" : NULL);
#else
	self_test(FAULT_CONFIG, filter_ingress_init(&filter, &conf, keep.noise, now()) != 0 ? "refused" : NULL);
#endif
	board_watchdog_start();
	mac_transmit_start(ROLE_TRANSMIT, transmit);
	mac_receive_start(ROLE_RECEIVE, receive);
	check(); /* before the first frame */
}

#ifndef NODE_EGRESS
/* Its arrival is a time that no clock of ours knew: that makes the boot epoch differ even where memory has no noise. */
static void first_frame(void)
{
	static int heard;

	if (heard)
		return;
	heard = 1;
	mix_epoch();
	filter.epoch = keep.noise;
}
#endif

/* All frames that are there, up to AT_ONCE of them.  0 = the ring is empty. */
static int frames(uint64_t t)
{
	for (unsigned i = 0; i < AT_ONCE; i++) {
		uint8_t *room = mac_transmit_room();
		size_t n;

		if (room == NULL) { /* the ring of the receiving side is the buffer, and full it drops */
			no_room++;
			return 1;
		}
		const uint8_t *frame = mac_receive(ROLE_RECEIVE, &n);
		if (frame == NULL)
			return 0;
#ifndef NODE_EGRESS
		first_frame();
#endif
		n = filter_frame(&filter, room, MAC_FRAME_MAX, frame, n, t);
		mac_receive_done();
		if (n > 0)
			mac_transmit(ROLE_TRANSMIT, n);
	}
	return 1;
}

/* Bytes of the stack ever used: start-up cleared it. */
static uint32_t stack_used(void)
{
	const uintptr_t top = (uintptr_t)stack_top;
	uintptr_t at = (uintptr_t)(stack_bottom + 1);

	while (at < top && *(const volatile uint32_t *)at == 0)
		at += 4;
	return (uint32_t)(top - at);
}

static void report(uint64_t t)
{
	console_begin("count");
	console_text("node", ROLE_NAME);
	console_dec("t", t / 1000000000);
	console_hex("epoch", filter.epoch);
	console_dec("sequence", filter.sequence);
	for (unsigned i = 0; i < FILTER_WHYS; i++)
		console_dec(filter_whystr((enum filter_why)i), filter.count.why[i]);
	console_dec("lost", filter.count.lost);
	console_dec("boots", filter.count.boots);
	console_dec("full", mac_receive_full());
	console_dec("no-room", no_room);
	console_dec("stack", stack_used());
	console_end();
}

void node_main(void)
{
	start();
	check_at = report_at = now();
	for (;;) {
		const uint64_t t = now();
		const int more = frames(t);

		if (t >= check_at) {
			check_at = t + CHECK_NS;
			check();
		}
		if (t >= report_at) {
			report_at += REPORT_NS;
			report(t);
		}
		if (!more)
			board_sleep();
	}
}
