/* riscv64.S - start of a RISC-V hart in machine mode: RAM test, stack, node_main().
 *
 * Interrupts stay masked for ever (mstatus.MIE is 0 from reset on); they only
 * end a wfi.  Whatever traps goes to node_exception(), which shuts the ports. */
	.section .vectors, "ax"
	.globl _start
	.type _start, @function
_start:
	csrw	mie, zero
	csrci	mstatus, 8
	la	t0, trap
	csrw	mtvec, t0
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
