/* The negative control, as test_gem_bidirectional.c: an i.MX 6UltraLite whose ports do both. */
#define KM_FIRMWARE_BIDIRECTIONAL
#include "tests/unit/enet_rig.h"

static void log_shows_it(void **state)
{
	uintptr_t regs = enet_fresh();

	(void)state;
	mac_receive_start(regs, enet_mac);
	assert_int_not_equal(mmio_writes(0x014, 0xFFFFFFFF), 0);
	regs = enet_fresh();
	mac_transmit_start(regs, enet_mac);
	assert_int_not_equal(mmio_writes(0x010, 0xFFFFFFFF), 0);
}

static void read_back_shows_it(void **state)
{
	uintptr_t regs = enet_fresh();
	struct mac_fault fault;

	(void)state;
	mac_receive_start(regs, enet_mac);
	assert_int_equal(mac_receive_check(regs, &fault), -1);
	assert_int_equal(fault.offset, 0x0C4); /* the transmitter is not stopped */
	regs = enet_fresh();
	mac_transmit_start(regs, enet_mac);
	assert_int_equal(mac_transmit_check(regs, &fault), -1);
	assert_int_equal(fault.offset, 0x010);
}

/* Why it takes more than black-box tests: the parked ring still stops every frame. */
static void outside_nothing_shows_it(void **state)
{
	const uintptr_t regs = enet_fresh();

	(void)state;
	mac_receive_start(regs, enet_mac);
	assert_int_equal(enet_device.sent, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(log_shows_it), cmocka_unit_test(read_back_shows_it), cmocka_unit_test(outside_nothing_shows_it),
	};

	if (!MMIO_PAGE_WORKS) {
		printf("[==========] Running 1 test(s).\n[  SKIPPED ] enet: the mock page is for x86-64\n[  SKIPPED ] enet\n");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
