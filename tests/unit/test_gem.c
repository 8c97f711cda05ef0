/* firmware/driver/gem.c: what it writes, register by register, and that the bit of the other direction is never among it. */
#include "tests/unit/gem_rig.h"
#include "tests/unit/seeded.h"

#define COUNT(a) (unsigned)(sizeof(a) / sizeof((a)[0]))

/* The numbers are the manual's (Zynq-7000 TRM, UG585, appendix B.18), not the driver's names for them. */
static void expect_start(uintptr_t regs, int receive)
{
	const uint32_t parked_rx = bus(&rx_parked), parked_tx = bus(&tx_parked);
	struct mmio_access want[64] = {
		{ 0x000, 0, 1 },             /* both directions off ... */
		{ 0x02C, 0x07FFFFFF, 1 },    /* ... and all interrupts */
		{ 0x000, 0x20, 1 },          /* statistics to 0 */
		{ 0x000, 0, 1 },
		{ 0x014, 0xFF, 1 },          /* old transmit status */
		{ 0x020, 0x0F, 1 },          /* old receive status */
		{ 0x018, parked_rx, 1 },     /* both rings parked */
		{ 0x01C, parked_tx, 1 },
	};
	unsigned n = 8;

	for (uint32_t q = 1; q < GEM_QUEUES; q++) {
		want[n++] = (struct mmio_access){ 0x480 + 4 * (q - 1), parked_rx, 1 };
		want[n++] = (struct mmio_access){ 0x440 + 4 * (q - 1), parked_tx, 1 };
	}
	want[n++] = (struct mmio_access){ 0x004, 0x000A0412, 1 }; /* no pause, no loopback, FCS off */
	want[n++] = (struct mmio_access){ 0x010, 0x00180710, 1 }; /* DMA into 1536 bytes */
	want[n++] = (struct mmio_access){ 0x088, 0x105E0002, 1 }; /* MAC, first byte lowest */
	want[n++] = (struct mmio_access){ 0x08C, 0x00003020, 1 };
	want[n++] = receive ? (struct mmio_access){ 0x018, bus(rx_ring), 1 } : (struct mmio_access){ 0x01C, bus(tx_ring), 1 };
	want[n++] = (struct mmio_access){ 0x000, receive ? 0x04 : 0x08, 1 }; /* one direction, and no more than that */
	if (receive)
		want[n++] = (struct mmio_access){ 0x028, 0x06, 1 }; /* wake up for a frame, and for a full ring */
	if (receive)
		mac_receive_start(regs, gem_mac);
	else
		mac_transmit_start(regs, gem_mac);
	assert_true(mmio_wrote(0, want, n));
}

static void start_to_receive(void **state)
{
	(void)state;
	expect_start(gem_fresh(), 1);
	assert_int_equal(mmio_writes(0x000, NCR_TE), 0);
	/* The other direction has one descriptor that the device may not use. */
	assert_int_equal(tx_parked.status, 0xC0000000);
	for (unsigned i = 0; i < RX_FRAMES; i++) {
		assert_int_equal(rx_ring[i].address & 1, 0);
		assert_int_equal(rx_ring[i].address & 2, i == RX_FRAMES - 1 ? 2 : 0);
	}
}

static void start_to_transmit(void **state)
{
	(void)state;
	expect_start(gem_fresh(), 0);
	assert_int_equal(mmio_writes(0x000, NCR_RE), 0);
	assert_int_equal(mmio_writes(0x028, 0xFFFFFFFF), 0); /* nothing to wake up for */
	assert_int_equal(rx_parked.address, 3);
	for (unsigned i = 0; i < TX_FRAMES; i++) /* all idle, or the device would send what lies there */
		assert_int_equal(tx_ring[i].status, i == TX_FRAMES - 1 ? 0xC0000000 : 0x80000000);
}

static void off(void **state)
{
	const struct mmio_access want[] = { { 0x000, 0, 1 }, { 0x02C, 0x07FFFFFF, 1 } };
	const uintptr_t regs = gem_fresh();

	(void)state;
	mac_receive_start(regs, gem_mac);
	const unsigned before = mmio.n;
	mac_off(regs);
	assert_true(mmio_wrote(before, want, 2));
	assert_int_equal(gem_arrives("frame", 5, RX_WHOLE), -1);
}

enum { BEGIN = 0x4000, END = 0x8000 };

static void frames_come_up(void **state)
{
	const uintptr_t regs = gem_fresh();
	uint8_t frame[1514];
	size_t n;

	(void)state;
	seeded_init();
	mac_receive_start(regs, gem_mac);
	for (unsigned i = 0; i < 3 * RX_FRAMES + 1; i++) { /* round the ring, to both its ends */
		const size_t len = 14 + seeded_below(sizeof frame - 14);
		seeded_bytes(frame, len);
		assert_null(mac_receive(regs, &n));
		assert_int_equal(gem_arrives(frame, len, BEGIN | END), 0);
		const uint8_t *got = mac_receive(regs, &n);
		assert_non_null(got);
		assert_int_equal(n, len);
		assert_memory_equal(got, frame, len);
		mac_receive_done();
	}
	assert_int_equal(mac_receive_full(), 0);
	assert_int_equal(mmio_writes(0x000, NCR_TE), 0);
}

/* The device stops on a full ring, and goes on only when NCR is written again: without TE. */
static void full_ring(void **state)
{
	const uintptr_t regs = gem_fresh();
	const uint32_t before = mac_receive_full();
	size_t n;

	(void)state;
	mac_receive_start(regs, gem_mac);
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < RX_FRAMES; i++)
			assert_int_equal(gem_arrives("a frame that fits", 17, BEGIN | END), 0);
		assert_int_equal(gem_arrives("one too many", 12, BEGIN | END), -1);
		for (unsigned i = 0; i < RX_FRAMES; i++) {
			assert_non_null(mac_receive(regs, &n));
			assert_int_equal(n, 17);
			mac_receive_done();
		}
		assert_null(mac_receive(regs, &n));
		assert_int_equal(mac_receive_full() - before, round + 1);
		assert_int_equal(gem_arrives("it goes on", 10, BEGIN | END), 0);
		assert_non_null(mac_receive(regs, &n));
		mac_receive_done();
	}
	assert_int_equal(mmio_writes(0x000, NCR_TE), 0);
	assert_true(mmio_writes(0x000, NCR_RE) >= 4);
}

/* A frame in pieces was too long for a buffer: it comes up once, with length 0, and the next is whole again. */
static void too_long(void **state)
{
	static const struct {
		const char *why;
		uint32_t flags[3];
		unsigned pieces;
	} cases[] = {
		{ "two pieces", { BEGIN, END }, 2 },
		{ "three pieces", { BEGIN, 0, END }, 3 },
		{ "no end", { BEGIN }, 1 },
	};
	const uintptr_t regs = gem_fresh();
	static uint8_t piece[BUFFER];
	size_t n;

	(void)state;
	mac_receive_start(regs, gem_mac);
	for (unsigned c = 0; c < COUNT(cases); c++) {
		for (unsigned i = 0; i < cases[c].pieces; i++)
			assert_int_equal(gem_arrives(piece, sizeof piece, cases[c].flags[i]), 0);
		assert_int_equal(gem_arrives("whole", 5, BEGIN | END), 0);
		assert_non_null(mac_receive(regs, &n));
		assert_int_equal(n, 0);
		mac_receive_done();
		assert_non_null(mac_receive(regs, &n));
		assert_int_equal(n, 5);
		mac_receive_done();
		assert_null(mac_receive(regs, &n));
	}
	/* A length beyond the buffer is the device's error. */
	assert_int_equal(gem_arrives("lies", 4, BEGIN | END | 0x1FFB), 0);
	assert_non_null(mac_receive(regs, &n));
	assert_int_equal(n, 0);
	mac_receive_done();
}

static void frames_go_out(void **state)
{
	const uintptr_t regs = gem_fresh();
	uint8_t frame[1514];

	(void)state;
	seeded_init();
	mac_transmit_start(regs, gem_mac);
	for (unsigned i = 0; i < 3 * TX_FRAMES + 1; i++) {
		const size_t len = 60 + seeded_below(sizeof frame - 60);
		uint8_t *room = mac_transmit_room();
		assert_non_null(room);
		seeded_bytes(frame, len);
		memcpy(room, frame, len);
		const unsigned before = mmio.n;
		const struct mmio_access kick[] = { { 0x000, 0x208, 1 } };
		mac_transmit(regs, len);
		assert_true(mmio_wrote(before, kick, 1));
		assert_int_equal(gem_device.sent, i + 1);
		assert_int_equal(gem_device.last_len, len);
		assert_memory_equal(gem_device.last, frame, len);
	}
	assert_int_equal(mmio_writes(0x000, NCR_RE), 0);
	struct mac_fault fault;
	assert_int_equal(mac_transmit_check(regs, &fault), 0); /* having sent is no fault */
}

/* While the device has not got round to it there is no room, and what waits is not overwritten. */
static void no_room(void **state)
{
	const uintptr_t regs = gem_fresh();

	(void)state;
	mac_transmit_start(regs, gem_mac);
	mmio.write = NULL; /* nothing moves */
	for (unsigned i = 0; i < TX_FRAMES; i++) {
		assert_non_null(mac_transmit_room());
		mac_transmit(regs, 60);
	}
	assert_null(mac_transmit_room());
	tx_ring[0].status |= 0x80000000;
	assert_non_null(mac_transmit_room());
}

/* The read-back that runs every 10 ms: as set up, it finds nothing; one bit elsewhere, and it says where. */
static void check_finds(void **state)
{
	static const struct {
		const char *why;
		int receive;
		uint32_t at, value;
		int parked; /* not a register: the parked descriptor of the other direction was freed */
	} cases[] = {
		{ "as it was set up", 1, 0x000, 0x04, 0 },
		{ "transmits as well", 1, 0x000, 0x0C, 0 },
		{ "transmits instead", 1, 0x000, 0x08, 0 },
		{ "management port on", 1, 0x000, 0x14, 0 },
		{ "loopback", 1, 0x000, 0x06, 0 },
		{ "off", 1, 0x000, 0, 0 },
		{ "pause frames are obeyed", 1, 0x004, 0x000A2412, 0 },
		{ "DMA into larger buffers", 1, 0x010, 0x00FF0710, 0 },
		{ "a ring to transmit from", 1, 0x01C, 0x1000, 0 },
		{ "the parked descriptor may be sent", 1, 0x01C, 0, 1 },
		{ "as it was set up", 0, 0x000, 0x08, 0 },
		{ "a transmission has just begun", 0, 0x000, 0x208, 0 },
		{ "receives as well", 0, 0x000, 0x0C, 0 },
		{ "receives instead", 0, 0x000, 0x04, 0 },
		{ "off", 0, 0x000, 0, 0 },
		{ "pause frames are obeyed", 0, 0x004, 0x000A2412, 0 },
		{ "a ring to receive into", 0, 0x018, 0x1000, 0 },
		{ "the parked descriptor may be written to", 0, 0x018, 0, 1 },
		{ "frames were sent", 0, 0x014, 0x21, 0 },
		{ "the transmitter stopped: frame corrupted by a bus error", 0, 0x014, 0x10, 0 },
		{ "underrun", 0, 0x014, 0x40, 0 },
		{ "bus error", 0, 0x014, 0x100, 0 },
	};

	(void)state;
	for (unsigned i = 0; i < COUNT(cases); i++) {
		const uintptr_t regs = gem_fresh();
		struct mac_fault fault = { 0 };
		const int good = i == 0 || (!cases[i].receive && cases[i].at == 0 && (cases[i].value & ~0x200u) == 0x08) ||
		    cases[i].value == 0x21;
		(cases[i].receive ? mac_receive_start : mac_transmit_start)(regs, gem_mac);
		const unsigned before = mmio.n;
		if (cases[i].parked) {
			rx_parked.address &= ~1u;
			tx_parked.status &= ~0x80000000u;
		} else {
			mmio.reg[cases[i].at / 4] = cases[i].value;
		}
		const int found = (cases[i].receive ? mac_receive_check : mac_transmit_check)(regs, &fault);
		if ((found == 0) != good || (!good && fault.offset != cases[i].at))
			fail_msg("%s, %s: %d at %03X", cases[i].receive ? "receiver" : "transmitter", cases[i].why, found, fault.offset);
		if (!good && !cases[i].parked)
			assert_int_equal(fault.got, cases[i].value);
		assert_true(mmio_wrote(before, NULL, 0)); /* it looks, and changes nothing */
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(start_to_receive), cmocka_unit_test(start_to_transmit), cmocka_unit_test(off),
		cmocka_unit_test(frames_come_up), cmocka_unit_test(full_ring), cmocka_unit_test(too_long),
		cmocka_unit_test(frames_go_out), cmocka_unit_test(no_room), cmocka_unit_test(check_finds),
	};

	if (!MMIO_PAGE_WORKS) {
		printf("[==========] Running 1 test(s).\n[  SKIPPED ] gem: the mock page is for x86-64\n[  SKIPPED ] gem\n");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
