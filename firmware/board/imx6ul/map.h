/* map.h - i.MX 6UltraLite: addresses (IMX6ULRM), and how 96 KB of its on-chip RAM are used.
 *
 * The boot ROM loads the image into on-chip RAM (0x00900000, 128 KB, the first 32 KB of which are its own);
 * no external RAM is used, so none has to be set up. */
#ifndef KM_FIRMWARE_MAP_H
#define KM_FIRMWARE_MAP_H

#define BOARD_NAME "imx6ul"
#ifndef BOARD_HZ
#define BOARD_HZ 62500000u /* of the system counter: in QEMU; 8 MHz on a board */
#endif

#define MAC_HOST 0x02188000u  /* ENET1 */
#define MAC_FIBRE 0x020B4000u /* ENET2 */
#define RX_FRAMES 38u /* 38 * 1536 bytes: 4.6 ms at 100 Mbit/s, which is all that this chip's ports do */
#define TX_FRAMES 4u /* what cannot leave waits in the other ring */

#define MMU_SPLIT 6 /* all below 64 MB */
#define MMU_TABLES 4
#define UART_BASE 0x02020000u
#define WDOG_BASE 0x020BC000u
#define COUNTER_BASE 0x021DC000u
#define GIC_CPU 0x00A02000u
#define GIC_DIST 0x00A01000u
#define IRQ_TIMER 27u /* virtual timer */
#ifdef NODE_EGRESS
#define IRQ_RECEIVE 152u /* ENET2 */
#else
#define IRQ_RECEIVE 150u /* ENET1 */
#endif

#endif
