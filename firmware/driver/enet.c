/* enet.c - ENET of i.MX 6UltraLite: mac.h with a controller that one bit switches on in both directions.
 *
 * What makes it one-way is weaker than on the GEM, so there is more of it: a
 * controller that receives never gets its transmit ring activated (TDAR is not
 * written), its transmitter is in graceful stop (TCR.GTS), and its transmit ring
 * is one descriptor that is not ready; one that transmits never gets RDAR
 * written, and its receive ring is one descriptor that is not empty. */
#include <string.h>

#include "cpu/cpu.h"
#include "firmware/mac.h"
#include "map.h"

/* Register offsets. */
enum {
	EIR = 0x04, EIMR = 0x08, RDAR = 0x10, TDAR = 0x14, ECR = 0x24, RCR = 0x84, TCR = 0xC4, PALR = 0xE4, PAUR = 0xE8,
	TFWR = 0x144, RDSR = 0x180, TDSR = 0x184, MRBR = 0x188,
};
/* Values. */
enum {
	ECR_RESET = 1,
	ECR_RUN = 0x102, /* on; descriptors little-endian, 8 bytes */
	ACTIVE = 1 << 24, /* RDAR, TDAR */
	TCR_FULL_DUPLEX = 4,
#ifdef KM_FIRMWARE_BIDIRECTIONAL /* the negative control of the tests: never built otherwise */
	TCR_STOP = 0,
#else
	TCR_STOP = 1,
#endif
	RCR_RMII = 0x100,
	RCR_VALUE = (int)MAC_FRAME_MAX << 16 | RCR_RMII | 0x0C, /* all addresses; no pause, no loopback */
	TFWR_WHOLE = 0x100, /* transmit when the whole frame is there */
	EVENT_RECEIVED = 1 << 25,
};
/* A descriptor's first word: length, and flags above it. */
#define RX_EMPTY 0x80000000u
#define TX_READY 0x80000000u
enum { WRAP = 0x20000000, LAST = 0x08000000, TX_CRC = 0x04000000, RX_BAD = 0x00370000, LEN = 0xFFFF, FCS = 4, BUFFER = 1536 };
_Static_assert(BUFFER >= (int)MAC_FRAME_MAX && BUFFER % 64 == 0, "MRBR");

struct descriptor {
	volatile uint32_t status, address;
};
static struct descriptor rx_ring[RX_FRAMES] __attribute__((aligned(64))), tx_ring[TX_FRAMES] __attribute__((aligned(64)));
static struct descriptor rx_parked __attribute__((aligned(64))), tx_parked __attribute__((aligned(64)));
static uint8_t rx_buffer[RX_FRAMES][BUFFER] __attribute__((aligned(64)));
static uint8_t tx_buffer[TX_FRAMES][BUFFER] __attribute__((aligned(64)));
static unsigned rx_next, tx_next;
static int rx_inside; /* of a frame too long for one buffer */
static uint32_t rx_full;

static uint32_t bus(const volatile void *p)
{
	return (uint32_t)(uintptr_t)p;
}

void mac_off(uintptr_t regs)
{
	reg_write(regs, ECR, 0);
	reg_write(regs, EIMR, 0);
}

/* Everything but the direction: both rings parked. */
static void set_up(uintptr_t regs, const uint8_t mac[6], uint32_t tcr)
{
	reg_write(regs, ECR, ECR_RESET);
	while ((reg_read(regs, ECR) & ECR_RESET) != 0)
		;
	reg_write(regs, EIMR, 0);
	reg_write(regs, EIR, 0xFFFFFFFF);
	reg_write(regs, RCR, RCR_VALUE);
	reg_write(regs, TCR, tcr);
	reg_write(regs, PALR, (uint32_t)mac[0] << 24 | (uint32_t)mac[1] << 16 | (uint32_t)mac[2] << 8 | mac[3]);
	reg_write(regs, PAUR, (uint32_t)mac[4] << 24 | (uint32_t)mac[5] << 16 | 0x8808);
	reg_write(regs, TFWR, TFWR_WHOLE);
	reg_write(regs, MRBR, BUFFER);
	rx_parked = (struct descriptor){ WRAP, bus(rx_buffer[0]) }; /* not empty: the controller may not fill it */
	tx_parked = (struct descriptor){ WRAP, bus(tx_buffer[0]) }; /* not ready */
	cpu_barrier();
	reg_write(regs, RDSR, bus(&rx_parked));
	reg_write(regs, TDSR, bus(&tx_parked));
}

static void free_buffer(unsigned i)
{
	rx_ring[i].address = bus(rx_buffer[i]);
	cpu_barrier();
	rx_ring[i].status = RX_EMPTY | (i == RX_FRAMES - 1 ? (uint32_t)WRAP : 0);
}

void mac_receive_start(uintptr_t regs, const uint8_t mac[6])
{
	set_up(regs, mac, TCR_FULL_DUPLEX | TCR_STOP);
	for (unsigned i = 0; i < RX_FRAMES; i++)
		free_buffer(i);
	rx_next = 0;
	cpu_barrier();
	reg_write(regs, RDSR, bus(rx_ring));
	reg_write(regs, EIMR, EVENT_RECEIVED);
	reg_write(regs, ECR, ECR_RUN);
	reg_write(regs, RDAR, ACTIVE);
#ifdef KM_FIRMWARE_BIDIRECTIONAL
	reg_write(regs, TDAR, ACTIVE);
#endif
}

/* The ring is empty.  An event that comes after the look at it stays pending and ends the next sleep. */
static int nothing_received(uintptr_t regs)
{
	reg_write(regs, EIR, reg_read(regs, EIR));
	if (reg_read(regs, RDAR) == 0) { /* it was full, and the controller has stopped */
		rx_full++;
		reg_write(regs, RDAR, ACTIVE);
	}
	cpu_barrier();
	return (rx_ring[rx_next].status & RX_EMPTY) != 0;
}

const uint8_t *mac_receive(uintptr_t regs, size_t *n)
{
	for (;;) {
		struct descriptor *d = &rx_ring[rx_next];
		if ((d->status & RX_EMPTY) != 0 && nothing_received(regs))
			return NULL;
		cpu_barrier();
		const uint32_t status = d->status;
		const uint32_t len = status & LEN;
		const int begins = !rx_inside;
		rx_inside = (status & LAST) == 0;
		*n = !rx_inside && (status & RX_BAD) == 0 && len > FCS && len <= BUFFER ? len - FCS : 0;
		if (begins)
			return rx_buffer[rx_next];
		mac_receive_done(); /* the rest of a frame whose beginning was counted */
	}
}

void mac_receive_done(void)
{
	free_buffer(rx_next);
	rx_next = rx_next + 1 == RX_FRAMES ? 0 : rx_next + 1;
}

uint32_t mac_receive_full(void)
{
	return rx_full;
}

void mac_transmit_start(uintptr_t regs, const uint8_t mac[6])
{
	set_up(regs, mac, TCR_FULL_DUPLEX);
	for (unsigned i = 0; i < TX_FRAMES; i++)
		tx_ring[i] = (struct descriptor){ i == TX_FRAMES - 1 ? WRAP : 0, bus(tx_buffer[i]) };
	tx_next = 0;
	cpu_barrier();
	reg_write(regs, TDSR, bus(tx_ring));
	reg_write(regs, ECR, ECR_RUN);
#ifdef KM_FIRMWARE_BIDIRECTIONAL
	rx_parked.status = RX_EMPTY | WRAP;
	reg_write(regs, RDAR, ACTIVE);
#endif
}

uint8_t *mac_transmit_room(void)
{
	return (tx_ring[tx_next].status & TX_READY) == 0 ? tx_buffer[tx_next] : NULL;
}

void mac_transmit(uintptr_t regs, size_t n)
{
	cpu_barrier();
	tx_ring[tx_next].status = (uint32_t)(n & LEN) | TX_READY | LAST | TX_CRC | (tx_next == TX_FRAMES - 1 ? (uint32_t)WRAP : 0);
	cpu_barrier();
	reg_write(regs, TDAR, ACTIVE);
	tx_next = tx_next + 1 == TX_FRAMES ? 0 : tx_next + 1;
}

static int differs(uintptr_t regs, uint32_t offset, uint32_t want, struct mac_fault *fault)
{
	/* QEMU keeps no RMII bit. */
	const uint32_t mask = offset == RCR ? ~(uint32_t)RCR_RMII : ~0u, got = reg_read(regs, offset) & mask;

	*fault = (struct mac_fault){ offset, want & mask, got };
	return got != (want & mask);
}

int mac_receive_check(uintptr_t regs, struct mac_fault *fault)
{
	if (differs(regs, TDAR, 0, fault) || differs(regs, TCR, TCR_FULL_DUPLEX | 1, fault) ||
	    differs(regs, TDSR, bus(&tx_parked), fault) || differs(regs, ECR, ECR_RUN, fault) ||
	    differs(regs, RCR, RCR_VALUE, fault))
		return -1;
	*fault = (struct mac_fault){ TDSR, WRAP, tx_parked.status };
	return fault->want == fault->got ? 0 : -1;
}

int mac_transmit_check(uintptr_t regs, struct mac_fault *fault)
{
	if (differs(regs, RDAR, 0, fault) || differs(regs, RDSR, bus(&rx_parked), fault) ||
	    differs(regs, ECR, ECR_RUN, fault) || differs(regs, RCR, RCR_VALUE, fault) ||
	    differs(regs, TCR, TCR_FULL_DUPLEX, fault))
		return -1;
	*fault = (struct mac_fault){ RDSR, WRAP, rx_parked.status };
	return fault->want == fault->got ? 0 : -1;
}
