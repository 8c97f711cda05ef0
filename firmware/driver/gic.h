/* gic.h - the interrupt controller of the Cortex-A boards, as far as it wakes the processor.
 * No interrupt is ever taken: all are levels that end with their cause. */
#ifndef KM_FIRMWARE_GIC_H
#define KM_FIRMWARE_GIC_H

#include <stdint.h>

void gic_init(void);
void gic_enable(uint32_t id);

#endif
