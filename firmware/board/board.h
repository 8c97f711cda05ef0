/* board.h - what a board is to the node.  Each board has a directory: board.c
 * (this interface), map.h (addresses and sizes) and link.ld (memory). */
#ifndef KM_FIRMWARE_BOARD_H
#define KM_FIRMWARE_BOARD_H

#include <stdint.h>

/* Clock, console and the interrupts that end a sleep.  The MACs are not touched. */
void board_init(void);
uint64_t board_ticks(void); /* BOARD_HZ a second, from start-up on */
/* Sleep until the receiving MAC has something or 10 ms are over. */
void board_sleep(void);

void board_watchdog_start(void); /* then a board_watchdog_feed() within 1 s, or the board is reset */
void board_watchdog_feed(void);
void board_reset(void); /* may return where there is no such thing */

#endif
