/* enet_rig.h - the unmodified driver/enet.c on a page of registers that is no hardware, as gem_rig.h; behind it as much of an
 * i.MX ENET as the driver can notice: a reset that ends by itself, two rings that go when RDAR or TDAR is written and the
 * controller is on, events that are cleared by writing ones. */
#ifndef KM_TESTS_ENET_RIG_H
#define KM_TESTS_ENET_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "firmware/driver/enet.c"
#include "tests/unit/mmio_page.h"

static const uint8_t enet_mac[6] = { 0x02, 0x00, 0x5E, 0x10, 0x20, 0x30 };
static struct {
	uint32_t rx_at, tx_at;
	unsigned sent;
	uint8_t last[BUFFER];
	size_t last_len;
} enet_device;

static struct descriptor *enet_descriptor(uint32_t at)
{
	return (struct descriptor *)(uintptr_t)at;
}

static int enet_on(void)
{
	return (mmio.reg[ECR / 4] & 2) != 0;
}

static void enet_send(void)
{
	for (;;) {
		struct descriptor *d = enet_descriptor(enet_device.tx_at);
		if ((d->status & TX_READY) == 0 || (mmio.reg[TCR / 4] & 1) != 0)
			return;
		assert_true((d->status & LAST) != 0 && (d->status & TX_CRC) != 0);
		enet_device.last_len = d->status & LEN;
		assert_true(enet_device.last_len <= BUFFER);
		memcpy(enet_device.last, (const void *)(uintptr_t)d->address, enet_device.last_len);
		enet_device.sent++;
		enet_device.tx_at = (d->status & WRAP) != 0 ? mmio.reg[TDSR / 4] : enet_device.tx_at + (uint32_t)sizeof *d;
		d->status &= ~TX_READY;
	}
}

static void enet_write(uint32_t at, uint32_t value)
{
	switch (at) {
	case ECR:
		if ((value & 1) != 0) {
			memset(mmio.reg, 0, sizeof mmio.reg);
			return;
		}
		break;
	case EIR:
		mmio.reg[EIR / 4] &= ~value;
		return;
	case RDAR:
		mmio.reg[RDAR / 4] = enet_on() ? ACTIVE : 0;
		return;
	case TDAR:
		if (enet_on())
			enet_send();
		return;
	case RDSR:
		enet_device.rx_at = value;
		break;
	case TDSR:
		enet_device.tx_at = value;
		break;
	default:
		break;
	}
	mmio.reg[at / 4] = value;
}

/* A frame, or a piece of one, from the wire; n with the FCS.  0: the device took it. */
static inline int enet_arrives(const void *bytes, size_t n, uint32_t flags)
{
	struct descriptor *d = enet_descriptor(enet_device.rx_at);

	if (!enet_on() || mmio.reg[RDAR / 4] == 0)
		return -1;
	if ((d->status & RX_EMPTY) == 0) {
		mmio.reg[RDAR / 4] = 0;
		return -1;
	}
	memcpy((void *)(uintptr_t)d->address, bytes, n < BUFFER ? n : BUFFER);
	enet_device.rx_at = (d->status & WRAP) != 0 ? mmio.reg[RDSR / 4] : enet_device.rx_at + (uint32_t)sizeof *d;
	d->status = (d->status & WRAP) | flags | (uint32_t)n;
	mmio.reg[EIR / 4] |= EVENT_RECEIVED;
	return 0;
}

static uintptr_t enet_fresh(void)
{
	const uintptr_t regs = mmio_reset();

	memset(&enet_device, 0, sizeof enet_device);
	mmio.write = enet_write;
	return regs;
}

#endif
