/* riscv64.S - start of a RISC-V hart in machine mode: memory protection, RAM test, stack, node_main().
 *
 * Physical memory protection is set first and locked until the next reset: code
 * can be read and executed, RAM read and written, the devices that the node uses
 * read and written; everything else is refused, to this hart and to the parked ones.
 * Interrupts stay masked for ever (mstatus.MIE is 0 from reset on); they only
 * end a wfi.  Whatever traps goes to node_exception(), which shuts the ports. */
#include "map.h"

/* A region of a power of two, 8 bytes or more. */
#define REGION(base, size) (((base) >> 2) | (((size) >> 3) - 1))
#define READ_EXECUTE 0x9D /* locked, power of two */
#define READ_WRITE 0x9B
#define NOTHING 0x98

	.macro	protect entry, region
	li	t0, \region
	csrw	pmpaddr\entry, t0
	.endm

	.section .vectors, "ax"
	.globl _start
	.type _start, @function
_start:
	csrw	mie, zero
	csrci	mstatus, 8
	la	t0, trap
	csrw	mtvec, t0
	protect	0, REGION(FLASH_BASE, FLASH_SIZE)
	protect	1, REGION(RAM_BASE, RAM_SIZE)
	protect	2, REGION(CLINT_BASE, CLINT_SIZE)
	protect	3, REGION(PLIC_BASE, PLIC_SIZE)
	protect	4, REGION(MSS_BASE, MSS_SIZE)
	protect	5, REGION(MACS_BASE, MACS_SIZE)
	protect	6, -1			# all there is: the lower entry wins
	li	t0, READ_EXECUTE | READ_WRITE << 8 | READ_WRITE << 16 | READ_WRITE << 24 | READ_WRITE << 32 | READ_WRITE << 40 | NOTHING << 48
	csrw	pmpcfg0, t0
	csrr	a0, mhartid
	bnez	a0, park	# one processor does it all
	la	a0, ram_test_from
	la	a1, ram_test_to
	call	ram_march
	la	sp, stack_top
	bnez	a0, bad_ram
	tail	node_main
bad_ram:
	tail	node_ram_fault
park:
	wfi
	j	park
	.size _start, . - _start

	.align 2
	.type trap, @function
trap:
	la	sp, stack_top	# nothing goes back, so the stack is free
	csrr	a0, mcause
	csrr	a1, mepc
	tail	node_exception
	.size trap, . - trap
