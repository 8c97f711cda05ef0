/* board.c - PolarFire SoC (board.h): clocks, pins and PHYs are as the design in the fabric sets them. */
#include "board/board.h"

#include "cpu/cpu.h"
#include "driver/uart.h"
#include "driver/wdog.h"
#include "map.h"

enum { MTIMECMP = 0x4000, MTIME = 0xBFF8 };                                    /* CLINT, of hart 0 */
enum { PRIORITY = 0, ENABLE = 0x2000, THRESHOLD = 0x200000, CLAIM = 0x200004 }; /* PLIC, of hart 0 */
enum { MIE_TIMER = 0x80, MIE_EXTERNAL = 0x800 };
enum { MSS_RESET_CR = 0x18, RESET_KEY = 0xDEAD };

static void wake_in_10_ms(void)
{
	*(volatile uint64_t *)(uintptr_t)(CLINT_BASE + MTIMECMP) = board_ticks() + BOARD_HZ / 100;
}

void board_init(void)
{
	uart_init();
	wake_in_10_ms();
	reg_write(PLIC_BASE, PRIORITY + 4 * IRQ_RECEIVE, 1);
	reg_write(PLIC_BASE, ENABLE + 4 * (IRQ_RECEIVE / 32), 1u << IRQ_RECEIVE % 32);
	reg_write(PLIC_BASE, THRESHOLD, 0);
	__asm__ volatile("csrw mie, %0" :: "r"(MIE_TIMER | MIE_EXTERNAL));
}

uint64_t board_ticks(void)
{
	return *(volatile const uint64_t *)(uintptr_t)(CLINT_BASE + MTIME);
}

void board_sleep(void)
{
	unsigned long pending;

	cpu_barrier();
	cpu_sleep();
	__asm__ volatile("csrr %0, mip" : "=r"(pending));
	if ((pending & MIE_TIMER) != 0)
		wake_in_10_ms();
	if ((pending & MIE_EXTERNAL) != 0) /* claimed and completed: the PLIC looks at the line anew */
		reg_write(PLIC_BASE, CLAIM, reg_read(PLIC_BASE, CLAIM));
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
	reg_write(SYSREG_BASE, MSS_RESET_CR, RESET_KEY);
}
