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
	/*
	 * a0 points at the context to save the running code in, a1 at the one to go on with;
	 * context.h says where each register lies. Store ra, sp and s0 to s11 in the one, load
	 * all fourteen from the other, and return: the ra that was loaded leads to where the
	 * other one called arch_switch. The other registers need nothing: the compiler knows
	 * that a call may change them. Touch neither gp nor tp nor memory apart from the
	 * contexts.
	 */
	LAB_TODO(3, 1)
	/* END HOLE context_switch */
	.size arch_switch, . - arch_switch

	/* Where a task begins: s1 is what it calls, and nothing is above it in a backtrace. */
	.globl arch_context_begin
	.type arch_context_begin, @function
arch_context_begin:
	li	ra, 0
	jr	s1
	.size arch_context_begin, . - arch_context_begin
/* mazu: lab 3 interface 4db008449f1a */
