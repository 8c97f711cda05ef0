/* gem.c - Cadence GEM, as in Zynq-7000 and PolarFire SoC: mac.h with its two enable bits.
 *
 * The register NCR has one bit that lets the controller receive and one that
 * lets it transmit; ENABLE_RECEIVE or ENABLE_TRANSMIT is all that is ever
 * written there, so the other half of the controller has no clock to move a bit. */
#include <string.h>

#include "cpu/cpu.h"
#include "firmware/mac.h"
#include "map.h"

/* Register offsets. */
enum {
	NCR = 0x00, NWCFG = 0x04, DMACR = 0x10, TSR = 0x14, RBQP = 0x18, TBQP = 0x1C, RSR = 0x20, ISR = 0x24, IER = 0x28, IDR = 0x2C,
	SA1B = 0x88, SA1T = 0x8C,
	TBQP1 = 0x440, RBQP1 = 0x480, /* of the further queues, 4 bytes each */
};
/* Values. */
enum {
#ifdef KM_FIRMWARE_BIDIRECTIONAL /* the negative control of the tests: never built otherwise */
	ENABLE_RECEIVE = 0x0C,
	ENABLE_TRANSMIT = 0x0C,
#else
	ENABLE_RECEIVE = 0x04,
	ENABLE_TRANSMIT = 0x08,
#endif
	CLEAR_STATISTICS = 0x20,
	START_TRANSMIT = 0x200,
	/* Gigabit, full duplex, all addresses, FCS taken off, MDC divided by 48; no pause, no jumbo, no loopback. */
	CONFIGURATION = 0x000A0412,
	DMA = 0x00180710, /* buffers of 24 * 64 bytes, bursts of 16, all of the packet memory */
	RSR_NO_BUFFER = 1,
	TSR_BROKEN = 0x150, /* no descriptor in mid-frame, underrun, bus error */
	RECEIVED = 0x02, NO_BUFFER = 0x04, /* ISR */
};
/* Descriptors: two words. */
enum {
	RX_USED = 1, RX_WRAP = 2,
	RX_LEN = 0x1FFF, RX_WHOLE = 0xC000, RX_BEGIN = 0x4000, /* second word */
	TX_LAST = 0x8000, TX_WRAP = 0x40000000, TX_LEN = 0x3FFF, /* second word */
	BUFFER = 1536,
};
#define TX_USED 0x80000000u
_Static_assert(BUFFER >= (int)MAC_FRAME_MAX && BUFFER % 64 == 0, "DMA");

struct descriptor {
	volatile uint32_t address, status;
};
static struct descriptor rx_ring[RX_FRAMES], tx_ring[TX_FRAMES], rx_parked, tx_parked;
static uint8_t rx_buffer[RX_FRAMES][BUFFER] __attribute__((aligned(64)));
static uint8_t tx_buffer[TX_FRAMES][BUFFER] __attribute__((aligned(64)));
static unsigned rx_next, tx_next;
static uint32_t rx_full;

/* What a controller sees of an address: all memory lies in the first 4 GB. */
static uint32_t bus(const volatile void *p)
{
	return (uint32_t)(uintptr_t)p;
}

void mac_off(uintptr_t regs)
{
	reg_write(regs, NCR, 0);
	reg_write(regs, IDR, 0x07FFFFFF);
}

/* Everything but the direction: both rings parked. */
static void set_up(uintptr_t regs, const uint8_t mac[6])
{
	mac_off(regs);
	reg_write(regs, NCR, CLEAR_STATISTICS);
	reg_write(regs, NCR, 0);
	reg_write(regs, TSR, 0xFF);
	reg_write(regs, RSR, 0x0F);
	rx_parked.address = RX_USED | RX_WRAP;
	tx_parked.status = TX_USED | TX_WRAP;
	cpu_barrier();
	reg_write(regs, RBQP, bus(&rx_parked));
	reg_write(regs, TBQP, bus(&tx_parked));
	for (uint32_t q = 1; q < GEM_QUEUES; q++) {
		reg_write(regs, RBQP1 + 4 * (q - 1), bus(&rx_parked));
		reg_write(regs, TBQP1 + 4 * (q - 1), bus(&tx_parked));
	}
	reg_write(regs, NWCFG, CONFIGURATION);
	reg_write(regs, DMACR, DMA);
	reg_write(regs, SA1B, (uint32_t)mac[3] << 24 | (uint32_t)mac[2] << 16 | (uint32_t)mac[1] << 8 | mac[0]);
	reg_write(regs, SA1T, (uint32_t)mac[5] << 8 | mac[4]);
}

static void free_buffer(unsigned i)
{
	rx_ring[i].status = 0;
	cpu_barrier();
	rx_ring[i].address = bus(rx_buffer[i]) | (i == RX_FRAMES - 1 ? RX_WRAP : 0);
}

void mac_receive_start(uintptr_t regs, const uint8_t mac[6])
{
	set_up(regs, mac);
	for (unsigned i = 0; i < RX_FRAMES; i++)
		free_buffer(i);
	rx_next = 0;
	cpu_barrier();
	reg_write(regs, RBQP, bus(rx_ring));
	reg_write(regs, NCR, ENABLE_RECEIVE);
	reg_write(regs, IER, RECEIVED | NO_BUFFER);
}

/* The ring is empty.  An interrupt that comes after the look at it stays pending and ends the next sleep. */
static int nothing_received(uintptr_t regs)
{
	reg_write(regs, ISR, reg_read(regs, ISR));
	if ((reg_read(regs, RSR) & RSR_NO_BUFFER) != 0) {
		/* It was full: the controller has stopped, and looks at the ring again when told to. */
		rx_full++;
		reg_write(regs, RSR, RSR_NO_BUFFER);
		reg_write(regs, NCR, ENABLE_RECEIVE);
	}
	cpu_barrier();
	return (rx_ring[rx_next].address & RX_USED) == 0;
}

const uint8_t *mac_receive(uintptr_t regs, size_t *n)
{
	for (;;) {
		struct descriptor *d = &rx_ring[rx_next];
		if ((d->address & RX_USED) == 0 && nothing_received(regs))
			return NULL;
		cpu_barrier();
		const uint32_t status = d->status;
		const uint32_t len = status & RX_LEN;
		*n = (status & RX_WHOLE) == RX_WHOLE && len <= BUFFER ? len : 0;
		if ((status & RX_BEGIN) != 0)
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
	set_up(regs, mac);
	for (unsigned i = 0; i < TX_FRAMES; i++) {
		tx_ring[i].address = bus(tx_buffer[i]);
		tx_ring[i].status = TX_USED | (i == TX_FRAMES - 1 ? (uint32_t)TX_WRAP : 0);
	}
	tx_next = 0;
	cpu_barrier();
	reg_write(regs, TBQP, bus(tx_ring));
	reg_write(regs, NCR, ENABLE_TRANSMIT);
}

uint8_t *mac_transmit_room(void)
{
	return (tx_ring[tx_next].status & TX_USED) != 0 ? tx_buffer[tx_next] : NULL;
}

void mac_transmit(uintptr_t regs, size_t n)
{
	cpu_barrier();
	tx_ring[tx_next].status = (uint32_t)(n & TX_LEN) | TX_LAST | (tx_next == TX_FRAMES - 1 ? (uint32_t)TX_WRAP : 0);
	cpu_barrier();
	reg_write(regs, NCR, ENABLE_TRANSMIT | START_TRANSMIT);
	tx_next = tx_next + 1 == TX_FRAMES ? 0 : tx_next + 1;
}

static int differs(uintptr_t regs, uint32_t offset, uint32_t mask, uint32_t want, struct mac_fault *fault)
{
	const uint32_t got = reg_read(regs, offset) & mask;

	*fault = (struct mac_fault){ offset, want, got };
	return got != want;
}

/* What both directions have in common. */
static int check(uintptr_t regs, uint32_t enable, struct mac_fault *fault)
{
	enum { STARTED = START_TRANSMIT, ALL = -1 };

	if (differs(regs, NCR, ~(uint32_t)STARTED, enable, fault) || differs(regs, NWCFG, (uint32_t)ALL, CONFIGURATION, fault) ||
	    differs(regs, DMACR, (uint32_t)ALL, DMA, fault))
		return -1;
	for (uint32_t q = 1; q < GEM_QUEUES; q++)
		if (differs(regs, RBQP1 + 4 * (q - 1), (uint32_t)ALL, bus(&rx_parked), fault) ||
		    differs(regs, TBQP1 + 4 * (q - 1), (uint32_t)ALL, bus(&tx_parked), fault))
			return -1;
	return 0;
}

int mac_receive_check(uintptr_t regs, struct mac_fault *fault)
{
	if (check(regs, 0x04, fault) != 0 || differs(regs, TBQP, ~0u, bus(&tx_parked), fault))
		return -1;
	*fault = (struct mac_fault){ TBQP, TX_USED | TX_WRAP, tx_parked.status };
	return fault->want == fault->got ? 0 : -1;
}

int mac_transmit_check(uintptr_t regs, struct mac_fault *fault)
{
	if (check(regs, 0x08, fault) != 0 || differs(regs, RBQP, ~0u, bus(&rx_parked), fault) ||
	    differs(regs, TSR, TSR_BROKEN, 0, fault)) /* the controller has stopped by itself */
		return -1;
	*fault = (struct mac_fault){ RBQP, RX_USED | RX_WRAP, rx_parked.address };
	return fault->want == fault->got ? 0 : -1;
}
