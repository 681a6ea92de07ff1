/*
 * void trap_registers_probe(u64 after[32]): gives each register its own value, takes a breakpoint
 * trap, and stores at after[n] what register n holds behind it. Only sp and gp, which must stay
 * what they are, and x0 are left out.
 */
	.altmacro
	.macro	each macro, from, to
	.set	n, \from
	.rept	\to - \from + 1
	\macro	%n
	.set	n, n + 1
	.endr
	.endm
	.macro	save number
	sd	x\number, (8 * \number)(sp)
	.endm
	.macro	restore number
	ld	x\number, (8 * \number)(sp)
	.endm
	.macro	give number
	li	x\number, 1000 + \number
	.endm
	.macro	keep number
	sd	x\number, (8 * \number)(a0)
	.endm

	.section .text
	.globl trap_registers_probe
trap_registers_probe:
	addi	sp, sp, -272
	save	1
	each	save, 4, 31
	give	1
	each	give, 4, 31
	.option	push
	.option	norvc
	ebreak
	.option	pop
	sd	a0, 256(sp)
	ld	a0, 80(sp)		/* the array */
	keep	1
	each	keep, 4, 31
	ld	t0, 256(sp)
	sd	t0, 80(a0)
	restore	1
	each	restore, 4, 31
	addi	sp, sp, 272
	ret
