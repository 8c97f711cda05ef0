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

/* Regions of memory protection (cpu/riscv64.S): each a power of two, and at a multiple of it. */
#define FLASH_BASE 0x20220000
#define FLASH_SIZE 0x20000
#define RAM_BASE 0x08000000
#define RAM_SIZE 0x40000
#define CLINT_BASE 0x02000000
#define CLINT_SIZE 0x10000
#define PLIC_BASE 0x0C000000
#define PLIC_SIZE 0x400000
#define MSS_BASE 0x20000000 /* serial port, watchdog, system registers */
#define MSS_SIZE 0x4000
#define MACS_BASE 0x20110000
#define MACS_SIZE 0x4000

#define MAC_HOST 0x20110000u  /* GEM0 */
#define MAC_FIBRE 0x20112000u /* GEM1 */
#define GEM_QUEUES 4u
#define RX_FRAMES 64u
#define TX_FRAMES 24u

#define UART_BASE 0x20000000u
#define WDOG_BASE 0x20001000u
#define SYSREG_BASE 0x20002000u
#ifdef NODE_EGRESS
#define IRQ_RECEIVE 70u /* GEM1 */
#else
#define IRQ_RECEIVE 64u /* GEM0 */
#endif

#endif
