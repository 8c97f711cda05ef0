/* mmu.h - memory protection of the Cortex-A boards: code cannot be written, data not executed, and nothing else be touched.
 *
 * Pages of 4 KB, addresses as they are.  Data is not cached (the MACs read and
 * write it); the data cache stays off, and code is marked so that the
 * instruction cache may keep it. */
#ifndef KM_FIRMWARE_MMU_H
#define KM_FIRMWARE_MMU_H

#include <stdint.h>

enum mmu_kind { MMU_CODE, MMU_DATA, MMU_DEVICE };

struct mmu_region {
	uint32_t from, to; /* multiples of 4096; to is the first byte behind it */
	enum mmu_kind kind;
};

/* Once.  All regions lie in MMU_TABLES different megabytes, below 4 GB >> MMU_SPLIT (map.h); else it never returns. */
void mmu_start(const struct mmu_region *r, unsigned regions);

#endif
