/* clock.h - ticks of any frequency to nanoseconds, without a division and without a rest that adds up. */
#ifndef KM_FIRMWARE_CLOCK_H
#define KM_FIRMWARE_CLOCK_H

#include <stdint.h>

struct clock {
	uint64_t ns, ticks;
	uint64_t rest; /* of a ns, in 2^-20 */
	uint32_t step; /* ns of a tick, in 2^-20 */
};

/* hz: 1 MHz to 1 GHz. */
static inline void clock_init(struct clock *c, uint32_t hz, uint64_t ticks)
{
	*c = (struct clock){ .ticks = ticks, .step = (uint32_t)(((uint64_t)1000000000 << 20) / hz) };
}

/* At least every 2^34 ticks (17 s at 1 GHz). */
static inline uint64_t clock_ns(struct clock *c, uint64_t ticks)
{
	c->rest += (ticks - c->ticks) * c->step;
	c->ticks = ticks;
	c->ns += c->rest >> 20;
	c->rest &= 0xFFFFF;
	return c->ns;
}

#endif
