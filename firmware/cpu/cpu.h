/* cpu.h - what differs between the processors: registers, barriers, sleep. */
#ifndef KM_FIRMWARE_CPU_H
#define KM_FIRMWARE_CPU_H

#include <stdint.h>

static inline uint32_t reg_read(uintptr_t base, uint32_t offset)
{
	return *(volatile const uint32_t *)(base + offset);
}

static inline void reg_write(uintptr_t base, uint32_t offset, uint32_t value)
{
	*(volatile uint32_t *)(base + offset) = value;
}

/* What was written to memory before is there before what is written to a device after, and the reverse. */
static inline void cpu_barrier(void)
{
#if defined __arm__
	__asm__ volatile("dsb" ::: "memory");
#elif defined __riscv
	__asm__ volatile("fence iorw, iorw" ::: "memory");
#else
	__sync_synchronize(); /* the tests' host */
#endif
}

/* Until an enabled interrupt is pending: it is never taken, only waited for. */
static inline void cpu_sleep(void)
{
#if defined __arm__ || defined __riscv
	__asm__ volatile("wfi" ::: "memory");
#endif
}

#endif
