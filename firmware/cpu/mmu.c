/* mmu.c - see mmu.h; ARM Architecture Reference Manual ARMv7-A, short descriptors. */
#include "cpu/mmu.h"

#include "cpu/cpu.h"
#include "map.h"

enum { PAGE = 4096, MEGABYTE = 1 << 20, PAGES = MEGABYTE / PAGE, ENTRIES = 4096 >> MMU_SPLIT };

/* What is not mapped is 0, and an access to it an exception. */
static uint32_t first[ENTRIES] __attribute__((aligned(4 * ENTRIES), section(".bss.mmu_first")));
static uint32_t second[MMU_TABLES][PAGES] __attribute__((aligned(4 * PAGES)));

/* A page's attributes: bit 0 never execute, 1 page, 2 B, 3 C, 5:4 AP, 8:6 TEX, 9 read only. */
static const uint32_t attributes[] = {
	[MMU_CODE] = 0x2 | 0xC | 0x10 | 0x40 | 0x200, /* normal, cached, read only */
	[MMU_DATA] = 0x3 | 0x10 | 0x40,               /* normal, not cached, read and write */
	[MMU_DEVICE] = 0x3 | 0x4 | 0x10,              /* device, read and write */
};

/* The second-level table of a megabyte. */
static uint32_t *table_of(uint32_t address)
{
	const uint32_t megabyte = address / MEGABYTE;
	static unsigned used;

	while (megabyte >= ENTRIES || (first[megabyte] == 0 && used == MMU_TABLES))
		cpu_sleep(); /* map.h is wrong: seen at the first start, before any port is on */
	if (first[megabyte] == 0)
		first[megabyte] = (uint32_t)(uintptr_t)second[used++] | 1; /* domain 0 */
	return (uint32_t *)(uintptr_t)(first[megabyte] & ~1u);
}

static void map(const struct mmu_region *r)
{
	for (uint32_t at = r->from; at != r->to; at += PAGE)
		table_of(at)[at / PAGE % PAGES] = at | attributes[r->kind];
}

void mmu_start(const struct mmu_region *r, unsigned regions)
{
	uint32_t control;

	for (unsigned i = 0; i < regions; i++)
		map(&r[i]);
	cpu_barrier();
	__asm__ volatile("mcr p15, 0, %0, c2, c0, 0" :: "r"(first));                                /* TTBR0 */
	__asm__ volatile("mcr p15, 0, %0, c2, c0, 2" :: "r"(MMU_SPLIT | (MMU_SPLIT != 0 ? 0x20 : 0))); /* TTBCR: no TTBR1 */
	__asm__ volatile("mcr p15, 0, %0, c3, c0, 0" :: "r"(1)); /* domain 0: permissions are checked */
	__asm__ volatile("mcr p15, 0, %0, c8, c7, 0" :: "r"(0)); /* no old translations, instructions, branches */
	__asm__ volatile("mcr p15, 0, %0, c7, c5, 0" :: "r"(0));
	__asm__ volatile("mcr p15, 0, %0, c7, c5, 6" :: "r"(0));
	__asm__ volatile("dsb\n\tisb" ::: "memory");
	__asm__ volatile("mrc p15, 0, %0, c1, c0, 0" : "=r"(control));
	__asm__ volatile("mcr p15, 0, %0, c1, c0, 0\n\tisb" :: "r"(control | 1) : "memory");
}
