/* firmware/driver/enet.c: what it writes, register by register, and that the other direction's ring is never set going. */
#include "tests/unit/enet_rig.h"
#include "tests/unit/seeded.h"

#define COUNT(a) (unsigned)(sizeof(a) / sizeof((a)[0]))

static const uint8_t short_frame[64] = "sixty-four bytes with the FCS";

/* The numbers are the manual's (IMX6ULRM, chapter 22), not the driver's names for them. */
static void expect_start(int receive)
{
	const uintptr_t regs = enet_fresh();
	const struct mmio_access want[] = {
		{ 0x024, 0x1, 1 },          /* reset: everything off */
		{ 0x008, 0, 1 },            /* no interrupts */
		{ 0x004, 0xFFFFFFFF, 1 },   /* no old events */
		{ 0x084, 0x05EE010C, 1 },   /* 1518 bytes, RMII, all addresses; no pause, no loopback */
		{ 0x0C4, receive ? 0x5 : 0x4, 1 }, /* full duplex; who receives has its transmitter stopped */
		{ 0x0E4, 0x02005E10, 1 },   /* MAC, first byte highest */
		{ 0x0E8, 0x20308808, 1 },
		{ 0x144, 0x100, 1 },        /* whole frames only */
		{ 0x188, 1536, 1 },         /* receive buffers */
		{ 0x180, bus(&rx_parked), 1 }, { 0x184, bus(&tx_parked), 1 },
		{ receive ? 0x180 : 0x184, receive ? bus(rx_ring) : bus(tx_ring), 1 },
	};
	struct mmio_access all[COUNT(want) + 3];
	unsigned n = COUNT(want);

	memcpy(all, want, sizeof want);
	if (receive)
		all[n++] = (struct mmio_access){ 0x008, 0x02000000, 1 }; /* wake up for a frame */
	all[n++] = (struct mmio_access){ 0x024, 0x102, 1 };
	if (receive)
		all[n++] = (struct mmio_access){ 0x010, 0x01000000, 1 };
	(receive ? mac_receive_start : mac_transmit_start)(regs, enet_mac);
	assert_true(mmio_wrote(0, all, n));
	assert_int_equal(mmio_writes(receive ? 0x014 : 0x010, 0xFFFFFFFF), 0);
	/* The other direction's one descriptor is not the device's. */
	assert_int_equal((receive ? tx_parked.status : rx_parked.status) & 0x80000000, 0);
}

static void start_to_receive(void **state)
{
	(void)state;
	expect_start(1);
	for (unsigned i = 0; i < RX_FRAMES; i++)
		assert_int_equal(rx_ring[i].status, i == RX_FRAMES - 1 ? 0xA0000000 : 0x80000000);
}

static void start_to_transmit(void **state)
{
	(void)state;
	expect_start(0);
	for (unsigned i = 0; i < TX_FRAMES; i++)
		assert_int_equal(tx_ring[i].status, i == TX_FRAMES - 1 ? 0x20000000 : 0);
	assert_int_equal(enet_arrives(short_frame, sizeof short_frame, LAST), -1);
}

static void frames_come_up(void **state)
{
	const uintptr_t regs = enet_fresh();
	uint8_t frame[1518];
	size_t n;

	(void)state;
	seeded_init();
	mac_receive_start(regs, enet_mac);
	for (unsigned i = 0; i < 3 * RX_FRAMES + 1; i++) {
		const size_t len = 18 + seeded_below(sizeof frame - 18);
		seeded_bytes(frame, len);
		assert_null(mac_receive(regs, &n));
		assert_int_equal(enet_arrives(frame, len, LAST), 0);
		const uint8_t *got = mac_receive(regs, &n);
		assert_non_null(got);
		assert_int_equal(n, len - 4); /* the FCS is not for the filter */
		assert_memory_equal(got, frame, n);
		mac_receive_done();
	}
	assert_int_equal(mmio_writes(0x014, 0xFFFFFFFF), 0);
}

static void full_ring(void **state)
{
	const uintptr_t regs = enet_fresh();
	const uint32_t before = mac_receive_full();
	size_t n;

	(void)state;
	mac_receive_start(regs, enet_mac);
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < RX_FRAMES; i++)
			assert_int_equal(enet_arrives(short_frame, sizeof short_frame, LAST), 0);
		assert_int_equal(enet_arrives(short_frame, sizeof short_frame, LAST), -1);
		for (unsigned i = 0; i < RX_FRAMES; i++) {
			assert_non_null(mac_receive(regs, &n));
			mac_receive_done();
		}
		assert_null(mac_receive(regs, &n));
		assert_int_equal(mac_receive_full() - before, round + 1);
		assert_int_equal(enet_arrives(short_frame, sizeof short_frame, LAST), 0);
		assert_non_null(mac_receive(regs, &n));
		mac_receive_done();
	}
	assert_int_equal(mmio_writes(0x014, 0xFFFFFFFF), 0);
}

/* Too long, or marked as bad by the controller: once, with length 0, and the next is whole again. */
static void bad_frames(void **state)
{
	static const struct {
		const char *why;
		uint32_t flags[2];
		size_t len[2];
		unsigned pieces;
	} cases[] = {
		{ "two pieces", { 0, LAST }, { 1536, 1600 }, 2 },
		{ "truncated", { LAST | 0x00010000 }, { 100 }, 1 },
		{ "overrun", { LAST | 0x00020000 }, { 100 }, 1 },
		{ "wrong FCS", { LAST | 0x00040000 }, { 100 }, 1 },
		{ "odd bits", { LAST | 0x00100000 }, { 100 }, 1 },
		{ "too long", { LAST | 0x00200000 }, { 100 }, 1 },
		{ "nothing but an FCS", { LAST }, { 4 }, 1 },
	};
	static uint8_t piece[BUFFER];
	const uintptr_t regs = enet_fresh();
	size_t n;

	(void)state;
	mac_receive_start(regs, enet_mac);
	for (unsigned c = 0; c < COUNT(cases); c++) {
		for (unsigned i = 0; i < cases[c].pieces; i++)
			assert_int_equal(enet_arrives(piece, cases[c].len[i], cases[c].flags[i]), 0);
		assert_int_equal(enet_arrives(short_frame, sizeof short_frame, LAST), 0);
		assert_non_null(mac_receive(regs, &n));
		if (n != 0)
			fail_msg("%s: came up with %zu bytes", cases[c].why, n);
		mac_receive_done();
		assert_non_null(mac_receive(regs, &n));
		assert_int_equal(n, 60);
		mac_receive_done();
		assert_null(mac_receive(regs, &n));
	}
}

static void frames_go_out(void **state)
{
	const uintptr_t regs = enet_fresh();
	struct mac_fault fault;
	uint8_t frame[1514];

	(void)state;
	seeded_init();
	mac_transmit_start(regs, enet_mac);
	for (unsigned i = 0; i < 3 * TX_FRAMES + 1; i++) {
		const struct mmio_access kick[] = { { 0x014, 0x01000000, 1 } };
		const size_t len = 60 + seeded_below(sizeof frame - 60);
		uint8_t *room = mac_transmit_room();
		assert_non_null(room);
		seeded_bytes(frame, len);
		memcpy(room, frame, len);
		const unsigned before = mmio.n;
		mac_transmit(regs, len);
		assert_true(mmio_wrote(before, kick, 1));
		assert_int_equal(enet_device.sent, i + 1);
		assert_int_equal(enet_device.last_len, len);
		assert_memory_equal(enet_device.last, frame, len);
	}
	assert_int_equal(mmio_writes(0x010, 0xFFFFFFFF), 0);
	assert_int_equal(mac_transmit_check(regs, &fault), 0);
	mmio.write = NULL; /* nothing moves any more */
	for (unsigned i = 0; i < TX_FRAMES; i++) {
		assert_non_null(mac_transmit_room());
		mac_transmit(regs, 60);
	}
	assert_null(mac_transmit_room());
}

static void check_finds(void **state)
{
	static const struct {
		const char *why;
		int receive, good;
		uint32_t at, value;
	} cases[] = {
		{ "as it was set up", 1, 1, 0x004, 0 },
		{ "the transmit ring is going", 1, 0, 0x014, 0x01000000 },
		{ "the transmitter is not stopped", 1, 0, 0x0C4, 0x04 },
		{ "a ring to transmit from", 1, 0, 0x184, 0x1000 },
		{ "off", 1, 0, 0x024, 0 },
		{ "pause frames are answered", 1, 0, 0x084, 0x05EE012C },
		{ "loopback", 1, 0, 0x084, 0x05EE010D },
		{ "as it was set up", 0, 1, 0x004, 0 },
		{ "the receive ring is going", 0, 0, 0x010, 0x01000000 },
		{ "a ring to receive into", 0, 0, 0x180, 0x1000 },
		{ "off", 0, 0, 0x024, 0 },
		{ "the transmitter is stopped", 0, 0, 0x0C4, 0x05 },
	};

	(void)state;
	for (unsigned i = 0; i < COUNT(cases); i++) {
		const uintptr_t regs = enet_fresh();
		struct mac_fault fault = { 0 };
		(cases[i].receive ? mac_receive_start : mac_transmit_start)(regs, enet_mac);
		const unsigned before = mmio.n;
		mmio.reg[cases[i].at / 4] = cases[i].value;
		const int found = (cases[i].receive ? mac_receive_check : mac_transmit_check)(regs, &fault);
		if ((found == 0) != cases[i].good || (!cases[i].good && fault.offset != cases[i].at))
			fail_msg("%s, %s: %d at %03X", cases[i].receive ? "receiver" : "transmitter", cases[i].why, found, fault.offset);
		assert_true(mmio_wrote(before, NULL, 0));
	}
	/* The parked descriptors themselves. */
	for (int receive = 0; receive < 2; receive++) {
		const uintptr_t regs = enet_fresh();
		struct mac_fault fault;
		(receive ? mac_receive_start : mac_transmit_start)(regs, enet_mac);
		(receive ? &tx_parked : &rx_parked)->status |= 0x80000000;
		assert_int_equal((receive ? mac_receive_check : mac_transmit_check)(regs, &fault), -1);
	}
}

static void off(void **state)
{
	const struct mmio_access want[] = { { 0x024, 0, 1 }, { 0x008, 0, 1 } };
	const uintptr_t regs = enet_fresh();

	(void)state;
	mac_receive_start(regs, enet_mac);
	const unsigned before = mmio.n;
	mac_off(regs);
	assert_true(mmio_wrote(before, want, 2));
	assert_int_equal(enet_arrives(short_frame, sizeof short_frame, LAST), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(start_to_receive), cmocka_unit_test(start_to_transmit), cmocka_unit_test(off),
		cmocka_unit_test(frames_come_up), cmocka_unit_test(full_ring), cmocka_unit_test(bad_frames),
		cmocka_unit_test(frames_go_out), cmocka_unit_test(check_finds),
	};

	if (!MMIO_PAGE_WORKS) {
		printf("[==========] Running 1 test(s).\n[  SKIPPED ] enet: the mock page is for x86-64\n[  SKIPPED ] enet\n");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
