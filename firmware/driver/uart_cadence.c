/* uart_cadence.c - the serial port of Zynq-7000. */
#include "driver/uart.h"

#include "cpu/cpu.h"
#include "map.h"

enum { CR = 0x00, MR = 0x04, IDR = 0x0C, BAUDGEN = 0x18, SR = 0x2C, FIFO = 0x30, BAUDDIV = 0x34 };
enum {
	CR_TX_ON = 0x10, CR_RX_OFF = 0x08, CR_TX_RESET = 0x02, CR_RX_RESET = 0x01,
	SR_TX_EMPTY = 0x08, SR_TX_FULL = 0x10, SR_TX_ACTIVE = 0x800,
};

void uart_init(void)
{
	reg_write(UART_BASE, IDR, 0x1FFF);
	reg_write(UART_BASE, CR, CR_RX_OFF | CR_TX_RESET | CR_RX_RESET);
	reg_write(UART_BASE, MR, 0x20); /* 8 bits, no parity, one stop bit */
	reg_write(UART_BASE, BAUDGEN, 124); /* 100 MHz / (124 * 7) = 115207 */
	reg_write(UART_BASE, BAUDDIV, 6);
	reg_write(UART_BASE, CR, CR_RX_OFF | CR_TX_ON);
}

int uart_room(void)
{
	return (reg_read(UART_BASE, SR) & SR_TX_FULL) == 0;
}

void uart_put(char c)
{
	reg_write(UART_BASE, FIFO, (uint8_t)c);
}

int uart_idle(void)
{
	return (reg_read(UART_BASE, SR) & (SR_TX_EMPTY | SR_TX_ACTIVE)) == SR_TX_EMPTY;
}
