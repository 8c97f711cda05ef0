/* uart_16550.c - MMUART0 of PolarFire SoC.  A 16550 cannot switch its receiver off: what comes is never read,
 * no interrupt tells of it, and the board leaves the pin unconnected. */
#include "driver/uart.h"

#include "cpu/cpu.h"
#include "map.h"

enum { THR = 0x00, IER = 0x04, FCR = 0x08, LCR = 0x0C, MCR = 0x10, LSR = 0x14 };
enum { LCR_8N1 = 3, LCR_DIVISOR = 0x80, FCR_FIFO = 7, LSR_EMPTY = 0x20, LSR_IDLE = 0x40, FIFO = 16 };

static unsigned room; /* bytes that the FIFO still takes; it tells only when it is empty */

void uart_init(void)
{
	reg_write(UART_BASE, IER, 0);
	reg_write(UART_BASE, LCR, LCR_DIVISOR);
	reg_write(UART_BASE, THR, 81); /* 150 MHz / (16 * 81) = 115741 */
	reg_write(UART_BASE, IER, 0);
	reg_write(UART_BASE, LCR, LCR_8N1);
	reg_write(UART_BASE, MCR, 0);
	reg_write(UART_BASE, FCR, FCR_FIFO);
}

int uart_room(void)
{
	if ((reg_read(UART_BASE, LSR) & LSR_EMPTY) != 0)
		room = FIFO;
	return room > 0;
}

void uart_put(char c)
{
	reg_write(UART_BASE, THR, (uint8_t)c);
	room -= room > 0;
}

int uart_idle(void)
{
	return (reg_read(UART_BASE, LSR) & LSR_IDLE) != 0;
}
