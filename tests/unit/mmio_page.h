/* mmio_page.h - a page of registers that are no hardware, for drivers that do not know the difference.
 *
 * Nobody may touch the page.  Each access of the driver faults; the handler notes
 * it, lets the device (a test's two functions) answer, opens the page for one
 * instruction, and closes it again at the trap behind that.  So the log has every
 * read and every write, in order, whatever the compiler made of the source; a
 * write of less than 32 bits shows as A5A5A5.. in the value.
 *
 * The page lies below 4 GB, as the registers of all boards do, and so does what
 * mmio_memory() gives: descriptors hold addresses of 32 bits.  x86-64 only. */
#ifndef KM_TESTS_MMIO_PAGE_H
#define KM_TESTS_MMIO_PAGE_H

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#if defined(__x86_64__)
#define MMIO_PAGE_WORKS 1
#else
#define MMIO_PAGE_WORKS 0
#endif

enum { MMIO_PAGE_LEN = 4096, MMIO_LOG_MAX = 1 << 16 };

struct mmio_access {
	uint32_t at; /* offset in the page, bytes */
	uint32_t value;
	int is_write;
};

static struct {
	uint8_t *page;
	uint32_t reg[MMIO_PAGE_LEN / 4]; /* what the device holds */
	struct mmio_access log[MMIO_LOG_MAX], now;
	unsigned n;
	/* What a read gives, and what a write does to reg[]; NULL: plain memory. */
	uint32_t (*read)(uint32_t at);
	void (*write)(uint32_t at, uint32_t value);
} mmio;

static void mmio_die(const char *why)
{
	(void)!write(2, why, strlen(why));
	_exit(99);
}

#if MMIO_PAGE_WORKS
/* A write that is no plain mov reads first (clang makes `or` of a |= on a register). */
static int mmio_reads_too(const uint8_t *rip)
{
	while (*rip == 0x66 || *rip >> 4 == 4) /* operand size, REX */
		rip++;
	return *rip != 0x88 && *rip != 0x89 && *rip != 0xC6 && *rip != 0xC7 && *rip != 0xA3;
}

static uint32_t mmio_device_read(uint32_t at)
{
	const uint32_t value = mmio.read != NULL ? mmio.read(at) : mmio.reg[at / 4];

	mmio.log[mmio.n++] = (struct mmio_access){ at, value, 0 };
	return value;
}

static void mmio_fault(int sig, siginfo_t *info, void *context)
{
	ucontext_t *u = context;
	const uintptr_t at = (uintptr_t)info->si_addr - (uintptr_t)mmio.page;

	(void)sig;
	if (at >= MMIO_PAGE_LEN) { /* not ours: let it crash as it would have */
		signal(SIGSEGV, SIG_DFL);
		return;
	}
	if (at % 4 != 0)
		mmio_die("an access that is not aligned\n");
	if (mmio.n + 2 > MMIO_LOG_MAX)
		mmio_die("more accesses than the log holds\n");
	mmio.now = (struct mmio_access){ (uint32_t)at, 0xA5A5A5A5, (u->uc_mcontext.gregs[REG_ERR] & 2) != 0 };
	if (!mmio.now.is_write || mmio_reads_too((const uint8_t *)u->uc_mcontext.gregs[REG_RIP]))
		mmio.now.value = mmio_device_read((uint32_t)at);
	if (mprotect(mmio.page, MMIO_PAGE_LEN, PROT_READ | PROT_WRITE) != 0)
		mmio_die("mprotect\n");
	memset(mmio.page, 0xA5, MMIO_PAGE_LEN);
	memcpy(mmio.page + at, &mmio.now.value, 4);
	u->uc_mcontext.gregs[REG_EFL] |= 0x100; /* one instruction, then a trap */
}

static void mmio_trap(int sig, siginfo_t *info, void *context)
{
	ucontext_t *u = context;

	(void)sig;
	(void)info;
	u->uc_mcontext.gregs[REG_EFL] &= ~(greg_t)0x100;
	memcpy(&mmio.now.value, mmio.page + mmio.now.at, 4);
	for (uint32_t i = 0; i < MMIO_PAGE_LEN; i++)
		if (i / 4 != mmio.now.at / 4 && mmio.page[i] != 0xA5)
			mmio_die("one instruction wrote two registers\n");
	if (mprotect(mmio.page, MMIO_PAGE_LEN, PROT_NONE) != 0)
		mmio_die("mprotect\n");
	if (mmio.now.is_write) {
		mmio.log[mmio.n++] = mmio.now;
		if (mmio.write != NULL)
			mmio.write(mmio.now.at, mmio.now.value);
		else
			mmio.reg[mmio.now.at / 4] = mmio.now.value;
	}
}
#endif

/* Zeroed memory below 4 GB; never given back. */
static inline void *mmio_memory(size_t n)
{
	void *p = MAP_FAILED;

#if MMIO_PAGE_WORKS
	p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
#endif
	if (p == MAP_FAILED)
		mmio_die("no memory below 4 GB\n");
	return p;
}

/* A fresh page with an empty log; its address is the driver's register base. */
static inline uintptr_t mmio_reset(void)
{
	if (mmio.page == NULL) {
		mmio.page = mmio_memory(MMIO_PAGE_LEN);
		if (mprotect(mmio.page, MMIO_PAGE_LEN, PROT_NONE) != 0)
			mmio_die("mprotect\n");
	}
#if MMIO_PAGE_WORKS
	/* Each time: cmocka takes the signal for itself at the start of every test. */
	const struct sigaction fault = { .sa_sigaction = mmio_fault, .sa_flags = SA_SIGINFO };
	const struct sigaction trap = { .sa_sigaction = mmio_trap, .sa_flags = SA_SIGINFO };
	if (sigaction(SIGSEGV, &fault, NULL) != 0 || sigaction(SIGTRAP, &trap, NULL) != 0)
		mmio_die("sigaction\n");
#endif
	memset(mmio.reg, 0, sizeof mmio.reg);
	mmio.n = 0;
	mmio.read = NULL;
	mmio.write = NULL;
	return (uintptr_t)mmio.page;
}

/* How many writes to the register at had any of the bits? */
static inline unsigned mmio_writes(uint32_t at, uint32_t bits)
{
	unsigned n = 0;

	for (unsigned i = 0; i < mmio.n; i++)
		n += mmio.log[i].is_write && mmio.log[i].at == at && (mmio.log[i].value & bits) != 0;
	return n;
}

/* The writes of the log from number first on are these, no more and in this order; else says where they part, and 0. */
static inline int mmio_wrote(unsigned first, const struct mmio_access *want, unsigned count)
{
	unsigned w = 0;

	for (unsigned i = first; i < mmio.n; i++) {
		const struct mmio_access *a = &mmio.log[i];
		if (!a->is_write)
			continue;
		if (w == count || a->at != want[w].at || a->value != want[w].value) {
			printf("write %u: %03X = %08X", w, a->at, a->value);
			if (w < count)
				printf(" where %03X = %08X was to come", want[w].at, want[w].value);
			printf("\n");
			return 0;
		}
		w++;
	}
	if (w < count)
		printf("write %u: %03X = %08X never came\n", w, want[w].at, want[w].value);
	return w == count;
}

#endif
