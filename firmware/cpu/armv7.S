/* armv7.S - start of a Cortex-A: vectors, RAM test, stack, node_main().
 *
 * Interrupts stay masked for ever: they only end a wfi.  Whatever else the
 * processor takes goes to node_exception(), which shuts the ports. */
	.syntax unified
	.arm
	.section .vectors, "ax"
	.global _start
_start:
	b	reset
	b	undefined
	b	call
	b	prefetch
	b	data
	b	reserved
	b	interrupt
	b	fast

	.text
	.type	reset, %function
reset:
	cpsid	aif, #0x13
	mrc	p15, 0, r0, c0, c0, 5	@ MPIDR: one processor does it all
	ands	r0, r0, #3
park:
	wfine
	bne	park
	mrc	p15, 0, r0, c1, c0, 0	@ SCTLR
	bic	r0, r0, #0x2000		@ V: vectors where VBAR says
	bic	r0, r0, #0x0005		@ C, M: no data cache and no MMU, so that memory is as the MACs see it
	orr	r0, r0, #0x1800		@ I, Z: instruction cache, branch prediction
	orr	r0, r0, #0x0002		@ A: an unaligned access is a fault, in emulation as on a board
	mcr	p15, 0, r0, c1, c0, 0
	ldr	r0, =_start
	mcr	p15, 0, r0, c12, c0, 0	@ VBAR
	isb
	ldr	r0, =ram_test_from
	ldr	r1, =ram_test_to
	bl	ram_march
	ldr	sp, =stack_top
	cmp	r0, #0
	bne	node_ram_fault
	b	node_main
	.size	reset, . - reset

	.macro	vector name, number, back
	.type	\name, %function
\name:	mov	r0, #\number
	sub	r1, lr, #\back
	b	fault
	.size	\name, . - \name
	.endm
	vector	undefined, 1, 4
	vector	call, 2, 4
	vector	prefetch, 3, 4
	vector	data, 4, 8
	vector	reserved, 5, 0
	vector	interrupt, 6, 4
	vector	fast, 7, 4

	.type	fault, %function
fault:
	cpsid	aif, #0x13		@ out of the exception's own mode, whose stack there is none
	ldr	sp, =stack_top		@ nothing goes back, so the stack is free
	b	node_exception
	.size	fault, . - fault
