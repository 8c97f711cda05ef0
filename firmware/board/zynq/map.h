/* map.h - Zynq-7000: addresses (UG585), and how the 192 KB of on-chip RAM are used.
 *
 * The boot ROM loads the image into on-chip RAM at 0; no external RAM is used, so none has to be set up. */
#ifndef KM_FIRMWARE_MAP_H
#define KM_FIRMWARE_MAP_H

#define BOARD_NAME "zynq"
#ifndef BOARD_HZ
#define BOARD_HZ 100000000u /* of the timers: 100 MHz in QEMU; half the processor's clock on a board */
#endif

#define MAC_HOST 0xE000B000u  /* GEM0 */
#define MAC_FIBRE 0xE000C000u /* GEM1 */
#define GEM_QUEUES 1u
#define RX_FRAMES 64u /* 64 * 1536 bytes: 0.8 ms at 1 Gbit/s */
#define TX_FRAMES 24u

#define MMU_SPLIT 0 /* devices lie at the top */
#define MMU_TABLES 4
#define UART_BASE 0xE0001000u
#define SLCR_BASE 0xF8000000u
#define TIMER_BASE 0xF8F00200u   /* global timer */
#define PRIVATE_BASE 0xF8F00600u /* private timer; the watchdog is behind it */
#define GIC_CPU 0xF8F00100u
#define GIC_DIST 0xF8F01000u
#define IRQ_TIMER 29u
#ifdef NODE_EGRESS
#define IRQ_RECEIVE 77u /* GEM1 */
#else
#define IRQ_RECEIVE 54u /* GEM0 */
#endif

#endif
