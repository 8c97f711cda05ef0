/* board.c - i.MX 6UltraLite (board.h): clocks, pins and PHYs are as the loader left them. */
#include "board/board.h"

#include "cpu/cpu.h"
#include "cpu/mmu.h"
#include "driver/gic.h"
#include "driver/uart.h"
#include "driver/wdog.h"
#include "map.h"

/* The virtual timer of the processor: CNTV_TVAL and CNTV_CTL. */
static void timer_in(uint32_t ticks)
{
	__asm__ volatile("mcr p15, 0, %0, c14, c3, 0" :: "r"(ticks));
	__asm__ volatile("mcr p15, 0, %0, c14, c3, 1" :: "r"(1));
}

static int timer_over(void)
{
	uint32_t control;

	__asm__ volatile("mrc p15, 0, %0, c14, c3, 1" : "=r"(control));
	return (control & 4) != 0;
}

extern uint8_t image_start[], ram_test_from[], ram_end[]; /* link.ld */

static void protect(void)
{
	const struct mmu_region regions[] = {
		{ (uint32_t)(uintptr_t)image_start, (uint32_t)(uintptr_t)ram_test_from, MMU_CODE },
		{ (uint32_t)(uintptr_t)ram_test_from, (uint32_t)(uintptr_t)ram_end, MMU_DATA },
		{ GIC_DIST, GIC_CPU + 0x1000, MMU_DEVICE },
		{ UART_BASE, UART_BASE + 0x1000, MMU_DEVICE },
		{ WDOG_BASE, WDOG_BASE + 0x1000, MMU_DEVICE },
		{ MAC_HOST, MAC_HOST + 0x1000, MMU_DEVICE },
		{ MAC_FIBRE, MAC_FIBRE + 0x1000, MMU_DEVICE },
		{ COUNTER_BASE, COUNTER_BASE + 0x1000, MMU_DEVICE },
	};

	mmu_start(regions, sizeof regions / sizeof regions[0]);
}

void board_init(void)
{
	protect();
	reg_write(COUNTER_BASE, 0, 1); /* the system counter runs */
	timer_in(BOARD_HZ / 100);
	uart_init();
	gic_init();
	gic_enable(IRQ_TIMER);
	gic_enable(IRQ_RECEIVE);
}

uint64_t board_ticks(void)
{
	uint32_t low, high;

	__asm__ volatile("isb\n\tmrrc p15, 1, %0, %1, c14" : "=r"(low), "=r"(high) :: "memory"); /* CNTVCT */
	return (uint64_t)high << 32 | low;
}

void board_sleep(void)
{
	cpu_barrier();
	cpu_sleep();
	if (timer_over())
		timer_in(BOARD_HZ / 100);
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
	wdog_reset();
}
