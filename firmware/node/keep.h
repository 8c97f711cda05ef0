/* keep.h - what a node remembers over a reset: 64 bytes of RAM that no start-up code and no loader writes.
 *
 * After power-up there is noise in it, which is of use: it goes into the boot
 * epoch.  A sum tells one from the other. */
#ifndef KM_FIRMWARE_KEEP_H
#define KM_FIRMWARE_KEEP_H

#include <stdint.h>

struct keep {
	uint32_t boots;   /* since power-up */
	uint32_t fault;   /* enum node_fault of the last run, 0 = none */
	uint32_t noise;   /* CRC of what was there before, and of everything mixed in */
	uint32_t sum;
};

void keep_load(struct keep *k);
void keep_store(struct keep *k); /* sets the sum */

#endif
