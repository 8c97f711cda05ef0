/* gem_rig.h - the unmodified driver/gem.c (included, so that its rings can be seen) on a page of registers that is no
 * hardware (mmio_page.h), and behind the page as much of a Cadence GEM as the driver can notice: rings, the two enable bits,
 * registers whose bits are cleared by writing ones, a receiver that stops when its ring is full.
 * The program is linked at a fixed address below 4 GB (Makefile), as descriptors hold 32 bits. */
#ifndef KM_TESTS_GEM_RIG_H
#define KM_TESTS_GEM_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "firmware/driver/gem.c"
#include "tests/unit/mmio_page.h"

enum { NCR_RE = 0x04, NCR_TE = 0x08 };

static const uint8_t gem_mac[6] = { 0x02, 0x00, 0x5E, 0x10, 0x20, 0x30 };
static struct {
	uint32_t rx_at, tx_at; /* the descriptors the device will look at next */
	int rx_stopped;        /* ring full: until NCR is written */
	unsigned sent;         /* frames */
	uint8_t last[BUFFER];
	size_t last_len;
} gem_device;

static struct descriptor *gem_descriptor(uint32_t at)
{
	return (struct descriptor *)(uintptr_t)at;
}

static void gem_send(void)
{
	for (;;) {
		struct descriptor *d = gem_descriptor(gem_device.tx_at);
		if ((d->status & TX_USED) != 0) {
			mmio.reg[TSR / 4] |= 0x01; /* came to a descriptor that is not for it */
			return;
		}
		assert_true((d->status & TX_LAST) != 0);
		gem_device.last_len = d->status & TX_LEN;
		assert_true(gem_device.last_len <= BUFFER);
		memcpy(gem_device.last, (const void *)(uintptr_t)d->address, gem_device.last_len);
		gem_device.sent++;
		gem_device.tx_at = (d->status & TX_WRAP) != 0 ? mmio.reg[TBQP / 4] : gem_device.tx_at + (uint32_t)sizeof *d;
		d->status |= TX_USED;
		mmio.reg[TSR / 4] |= 0x20; /* a transmission is complete */
	}
}

static void gem_write(uint32_t at, uint32_t value)
{
	switch (at) {
	case NCR:
		mmio.reg[NCR / 4] = value & 0x1C;
		gem_device.rx_stopped = 0;
		if ((value & (NCR_TE | START_TRANSMIT)) == (NCR_TE | START_TRANSMIT))
			gem_send();
		return;
	case TSR: case RSR: case ISR:
		mmio.reg[at / 4] &= ~value;
		return;
	case RBQP:
		gem_device.rx_at = value;
		break;
	case TBQP:
		gem_device.tx_at = value;
		break;
	default:
		break;
	}
	mmio.reg[at / 4] = value;
}

/* A piece of a frame from the wire.  0: the device took it, -1: it could not. */
static inline int gem_arrives(const void *bytes, size_t n, uint32_t flags)
{
	struct descriptor *d = gem_descriptor(gem_device.rx_at);

	if ((mmio.reg[NCR / 4] & NCR_RE) == 0 || gem_device.rx_stopped)
		return -1;
	if ((d->address & RX_USED) != 0) {
		mmio.reg[RSR / 4] |= 1;
		gem_device.rx_stopped = 1;
		return -1;
	}
	memcpy((void *)(uintptr_t)(d->address & ~3u), bytes, n);
	d->status = (uint32_t)n | flags;
	gem_device.rx_at = (d->address & RX_WRAP) != 0 ? mmio.reg[RBQP / 4] : gem_device.rx_at + (uint32_t)sizeof *d;
	d->address |= RX_USED;
	return 0;
}

static uintptr_t gem_fresh(void)
{
	const uintptr_t regs = mmio_reset();

	memset(&gem_device, 0, sizeof gem_device);
	mmio.write = gem_write;
	return regs;
}

#endif
