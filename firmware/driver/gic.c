/* gic.c - see gic.h */
#include "driver/gic.h"

#include "cpu/cpu.h"
#include "map.h"

enum { CTLR = 0, PMR = 4 };                                            /* of the processor's interface */
enum { DIST_CTLR = 0, ISENABLER = 0x100, IPRIORITYR = 0x400, ITARGETSR = 0x800 }; /* of the distributor */

void gic_init(void)
{
	reg_write(GIC_DIST, DIST_CTLR, 1);
	reg_write(GIC_CPU, PMR, 0xFF);
	reg_write(GIC_CPU, CTLR, 1);
}

/* A byte of a register of four. */
static void set_byte(uint32_t offset, uint32_t id, uint32_t value)
{
	const uint32_t at = offset + (id & ~3u), shift = 8 * (id & 3);

	reg_write(GIC_DIST, at, (reg_read(GIC_DIST, at) & ~(0xFFu << shift)) | value << shift);
}

void gic_enable(uint32_t id)
{
	set_byte(IPRIORITYR, id, 0x80);
	set_byte(ITARGETSR, id, 1);
	reg_write(GIC_DIST, ISENABLER + 4 * (id / 32), 1u << id % 32);
}
