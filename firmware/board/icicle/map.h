/* map.h - PolarFire SoC on the Icicle kit: addresses (its technical reference), and how the RAM is used.
 *
 * The image runs in place from the chip's own flash (eNVM); RAM is the first 192 KB of the L2 memory (LIM).
 * No external RAM is used, so none has to be set up. */
#ifndef KM_FIRMWARE_MAP_H
#define KM_FIRMWARE_MAP_H

#define BOARD_NAME "icicle"
#ifndef BOARD_HZ
#define BOARD_HZ 1000000u /* mtime: 1 MHz on the kit and in QEMU */
#endif

#define MAC_HOST 0x20110000u  /* GEM0 */
#define MAC_FIBRE 0x20112000u /* GEM1 */
#define GEM_QUEUES 4u
#define RX_FRAMES 64u
#define TX_FRAMES 24u

#define UART_BASE 0x20000000u
#define WDOG_BASE 0x20001000u
#define SYSREG_BASE 0x20002000u
#define CLINT_BASE 0x02000000u
#define PLIC_BASE 0x0C000000u
#ifdef NODE_EGRESS
#define IRQ_RECEIVE 70u /* GEM1 */
#else
#define IRQ_RECEIVE 64u /* GEM0 */
#endif

#endif
