/* uart.h - a serial port that only transmits, 115200 8N1 (driver/uart_NAME.c, one for each board). */
#ifndef KM_FIRMWARE_UART_H
#define KM_FIRMWARE_UART_H

void uart_init(void); /* transmitter on; the receiver is switched off, or left off */
int uart_room(void);  /* may a byte be put? */
void uart_put(char c);
int uart_idle(void);  /* has the last byte left the wire? */

#endif
