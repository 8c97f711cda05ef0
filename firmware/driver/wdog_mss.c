/* wdog_mss.c - watchdog 0 of PolarFire SoC's processors.  QEMU has nothing behind its registers. */
#include "cpu/cpu.h"
#include "driver/wdog.h"
#include "map.h"

enum { REFRESH = 0x00, CONTROL = 0x04, TIME = 0x0C, MSVP = 0x10 };
enum { SECOND = 150000000 / 256, REFRESH_KEY = (int)0xDEADC0DE };

void wdog_start(void)
{
	reg_write(WDOG_BASE, CONTROL, 0);
	reg_write(WDOG_BASE, TIME, SECOND);
	reg_write(WDOG_BASE, MSVP, SECOND); /* may be fed at any time */
	wdog_feed();
}

void wdog_feed(void)
{
	reg_write(WDOG_BASE, REFRESH, (uint32_t)REFRESH_KEY);
}
