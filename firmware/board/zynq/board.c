/* board.c - Zynq-7000 (board.h): clocks, pins and PHYs are as the first-stage loader left them. */
#include "board/board.h"

#include "cpu/cpu.h"
#include "cpu/mmu.h"
#include "driver/gic.h"
#include "driver/uart.h"
#include "driver/wdog.h"
#include "map.h"

enum { TIMER_LOW = 0, TIMER_CONTROL = 8 };                                                          /* global timer */
enum { PRIVATE_LOAD = 0, PRIVATE_CONTROL = 8, PRIVATE_STATUS = 0xC, RUN = 1, RELOAD = 2, IRQ = 4 }; /* private timer */
enum { SLCR_UNLOCK = 8, UNLOCK_KEY = 0xDF0D, PSS_RST_CTRL = 0x200 };

extern uint8_t image_start[], ram_test_from[], ram_end[]; /* link.ld */

static void protect(void)
{
	const struct mmu_region regions[] = {
		{ (uint32_t)(uintptr_t)image_start, (uint32_t)(uintptr_t)ram_test_from, MMU_CODE },
		{ (uint32_t)(uintptr_t)ram_test_from, (uint32_t)(uintptr_t)ram_end, MMU_DATA },
		{ UART_BASE, UART_BASE + 0x1000, MMU_DEVICE },
		{ MAC_HOST, MAC_FIBRE + 0x1000, MMU_DEVICE },
		{ SLCR_BASE, SLCR_BASE + 0x1000, MMU_DEVICE },
		{ GIC_CPU & ~0xFFFu, GIC_DIST + 0x1000, MMU_DEVICE }, /* timers and watchdog too */
	};

	mmu_start(regions, sizeof regions / sizeof regions[0]);
}

void board_init(void)
{
	protect();
	reg_write(TIMER_BASE, TIMER_CONTROL, RUN);
	reg_write(PRIVATE_BASE, PRIVATE_CONTROL, 0);
	reg_write(PRIVATE_BASE, PRIVATE_LOAD, BOARD_HZ / 100 - 1);
	reg_write(PRIVATE_BASE, PRIVATE_CONTROL, RUN | RELOAD | IRQ);
	uart_init();
	gic_init();
	gic_enable(IRQ_TIMER);
	gic_enable(IRQ_RECEIVE);
}

/* Called every few ms, so that the lower half wraps (after 43 s, or 13 s on a board) under our eyes: one read instead
 * of three of a slow bus. */
uint64_t board_ticks(void)
{
	static uint64_t last;
	const uint32_t low = reg_read(TIMER_BASE, TIMER_LOW);

	if (low < (uint32_t)last)
		last += (uint64_t)1 << 32;
	last = (last & 0xFFFFFFFF00000000) | low;
	return last;
}

void board_sleep(void)
{
	cpu_barrier();
	cpu_sleep();
	reg_write(PRIVATE_BASE, PRIVATE_STATUS, 1);
}

void board_watchdog_start(void)
{
	wdog_start();
}

void board_watchdog_feed(void)
{
	wdog_feed();
}

void board_reset(void)
{
	reg_write(SLCR_BASE, SLCR_UNLOCK, UNLOCK_KEY);
	reg_write(SLCR_BASE, PSS_RST_CTRL, 1);
}
