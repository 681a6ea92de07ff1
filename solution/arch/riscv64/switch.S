/*
 * The context switch: one task goes to sleep inside a call, another comes back from one.
 *
 * To the compiler arch_switch() is a function. Whoever calls it expects that the registers of a
 * caller are lost and those of a callee (sp, s0 to s11) are not, and comes back when ra is jumped to.
 * So these fourteen are all of a task that must be kept; what a trap interrupted lies in a frame on its
 * stack. gp is the hart's and stays; tp is not used.
 *
 * Kernel tasks use no floating point. A program's registers of that kind stay in the hart while the
 * kernel serves it: they are to be saved with its address space (sched.c), and only if dirty.
 *
 * Source: RISC-V ELF psABI 1.0, integer calling convention.
 */
#include <arch/context.h>
#include <mazu/lab.h>

	.section .text

	/*
	 * void arch_switch(struct context *from, struct context *to): a0, a1 point
	 * at what context.h lays out.
	 */
	.balign 4
	.globl arch_switch
	.type arch_switch, @function
arch_switch:
	/* HOLE context_switch */
	.altmacro
	.macro	saved_register instruction, number, context
	\instruction	s\number, CONTEXT_S(\number)(\context)
	.endm
	sd	ra, CONTEXT_RA(a0)
	sd	sp, CONTEXT_SP(a0)
	.set	n, 0
	.rept	12
	saved_register sd, %n, a0
	.set	n, n + 1
	.endr

	ld	ra, CONTEXT_RA(a1)
	ld	sp, CONTEXT_SP(a1)
	.set	n, 0
	.rept	12
	saved_register ld, %n, a1
	.set	n, n + 1
	.endr
	ret
	/* END HOLE context_switch */
	.size arch_switch, . - arch_switch

	/* Where a task begins: s1 is what it calls, and nothing is above it in a backtrace. */
	.globl arch_context_begin
	.type arch_context_begin, @function
arch_context_begin:
	li	ra, 0
	jr	s1
	.size arch_context_begin, . - arch_context_begin
