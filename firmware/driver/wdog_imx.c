/* wdog_imx.c - WDOG1 of i.MX 6UltraLite.  Once started it cannot be stopped.  QEMU has all of it, the reset too. */
#include "cpu/cpu.h"
#include "driver/wdog.h"
#include "map.h"

enum { WCR = 0, WSR = 2 }; /* 16 bits each */
enum {
	WCR_RUN = 0x0134,   /* 1 s, no reset now (SRS and WDA are active low), on */
	WCR_RESET = 0x0104, /* the same with both low: the chip is reset at once, and WDOG_B is pulled for the rest of the board */
};

static void write16(uint32_t offset, uint16_t value)
{
	*(volatile uint16_t *)((uintptr_t)WDOG_BASE + offset) = value;
}

void wdog_start(void)
{
	write16(WCR, WCR_RUN);
	wdog_feed();
}

void wdog_feed(void)
{
	write16(WSR, 0x5555);
	write16(WSR, 0xAAAA);
}

void wdog_reset(void)
{
	write16(WCR, WCR_RESET);
}
