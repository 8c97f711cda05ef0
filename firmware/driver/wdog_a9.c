/* wdog_a9.c - the private watchdog of a Cortex-A9: resets the chip on Zynq-7000 (SLCR.RS_AWDT_CTRL at its
 * reset value).  QEMU counts it down, but has no reset behind it. */
#include "cpu/cpu.h"
#include "driver/wdog.h"
#include "map.h"

enum { LOAD = 0x20, CONTROL = 0x28, RUN = 1, WATCHDOG = 8 };

void wdog_start(void)
{
	wdog_feed();
	reg_write(PRIVATE_BASE, CONTROL, WATCHDOG | RUN);
}

void wdog_feed(void)
{
	reg_write(PRIVATE_BASE, LOAD, BOARD_HZ - 1);
}
