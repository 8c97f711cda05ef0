/* uart_imx.c - the serial port of i.MX 6UltraLite. */
#include "driver/uart.h"

#include "cpu/cpu.h"
#include "map.h"

enum { URTX = 0x40, UCR1 = 0x80, UCR2 = 0x84, UCR3 = 0x88, UFCR = 0x90, USR2 = 0x98, UBIR = 0xA4, UBMR = 0xA8, UTS = 0xB4 };
enum {
	UCR1_ON = 1,
	UCR2_TRANSMIT = 0x4025, /* no RTS, 8 bits, transmitter on, receiver (bit 1) off, no reset */
	UCR3_MUXED = 4, /* always, in this chip */
	UFCR_VALUE = 0x0A80, /* reference not divided; FIFO thresholds unused */
	USR2_SENT = 8,
	UTS_FULL = 0x10,
};

void uart_init(void)
{
	reg_write(UART_BASE, UCR1, 0);
	reg_write(UART_BASE, UCR2, UCR2_TRANSMIT);
	reg_write(UART_BASE, UCR3, UCR3_MUXED);
	reg_write(UART_BASE, UFCR, UFCR_VALUE);
	reg_write(UART_BASE, UBIR, 15);
	reg_write(UART_BASE, UBMR, 693); /* 80 MHz / 694 = 115274 */
	reg_write(UART_BASE, UCR1, UCR1_ON);
}

int uart_room(void)
{
	return (reg_read(UART_BASE, UTS) & UTS_FULL) == 0;
}

void uart_put(char c)
{
	reg_write(UART_BASE, URTX, (uint8_t)c);
}

int uart_idle(void)
{
	return (reg_read(UART_BASE, USR2) & USR2_SENT) != 0;
}
