/* The negative control: the same driver, built to let every controller both receive and transmit, as no box is.
 * Black-box tests cannot tell it from the real one, since its parked rings still stop every frame; the log of the page and the
 * driver's own read-back must. */
#define KM_FIRMWARE_BIDIRECTIONAL
#include "tests/unit/gem_rig.h"

static void log_shows_it(void **state)
{
	uintptr_t regs = gem_fresh();

	(void)state;
	mac_receive_start(regs, gem_mac);
	assert_int_not_equal(mmio_writes(0x000, NCR_TE), 0);
	regs = gem_fresh();
	mac_transmit_start(regs, gem_mac);
	assert_int_not_equal(mmio_writes(0x000, NCR_RE), 0);
}

static void read_back_shows_it(void **state)
{
	uintptr_t regs = gem_fresh();
	struct mac_fault fault;

	(void)state;
	mac_receive_start(regs, gem_mac);
	assert_int_equal(mac_receive_check(regs, &fault), -1);
	assert_int_equal(fault.offset, 0x000);
	regs = gem_fresh();
	mac_transmit_start(regs, gem_mac);
	assert_int_equal(mac_transmit_check(regs, &fault), -1);
	assert_int_equal(fault.offset, 0x000);
}

/* Why it takes more than black-box tests: nothing is different from outside. */
static void outside_nothing_shows_it(void **state)
{
	const uintptr_t regs = gem_fresh();

	(void)state;
	mac_receive_start(regs, gem_mac);
	gem_write(NCR, NCR_RE | NCR_TE | START_TRANSMIT);
	assert_int_equal(gem_device.sent, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(log_shows_it), cmocka_unit_test(read_back_shows_it), cmocka_unit_test(outside_nothing_shows_it),
	};

	if (!MMIO_PAGE_WORKS) {
		printf("[==========] Running 1 test(s).\n[  SKIPPED ] gem: the mock page is for x86-64\n[  SKIPPED ] gem\n");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
