/*
 * Into user mode, and back out of it for good.
 *
 * arch_user_call() leaves its own registers on the stack and enters a program; each trap from
 * there begins a fresh frame below them and returns to the program, until somebody in such a trap
 * calls arch_user_return(): then the frame is dropped, and arch_user_call() returns that value.
 *
 * A program finds nothing of the kernel in its registers: all that are not its arguments are 0.
 *
 * Source: Privileged Architecture 20211203, sections 4.1.1 (SPP, SPIE) and 4.1.6 (sscratch).
 */
#include <arch/csr.h>
#include <arch/layout.h>

#define SAVED (14 * 8)

	.altmacro
	.macro	saved_registers instruction
	\instruction	ra, 0(sp)
	\instruction	fp, 8(sp)
	\instruction	s1, 16(sp)
	.set	n, 2
	.rept	10
	saved_register \instruction, %n
	.set	n, n + 1
	.endr
	.endm
	.macro	saved_register instruction, number
	\instruction	s\number, 8 + 8 * \number(sp)
	.endm

	.section .text

	/*
	 * u64 arch_user_call(uptr pc, uptr sp, u64 argument): interrupts off, and off
	 * when it returns.
	 */
	.globl arch_user_call
arch_user_call:
	addi	sp, sp, -SAVED
	saved_registers sd
	sd	sp, PCPU_KERNEL_SP(gp)
	csrw	sscratch, gp
	csrw	sepc, a0
	li	t0, SSTATUS_SPP
	csrc	sstatus, t0
	li	t0, SSTATUS_SPIE
	csrs	sstatus, t0
	mv	sp, a1
	mv	a0, a2
	.irp	register, ra, gp, tp, t0, t1, t2, fp, s1, a1, a2, a3, a4, a5, a6, a7
	li	\register, 0
	.endr
	.irp	register, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11, t3, t4, t5, t6
	li	\register, 0
	.endr
	sret

	/* void arch_user_return(u64 value): in a trap from user mode, interrupts off. */
	.globl arch_user_return
arch_user_return:
	ld	sp, PCPU_KERNEL_SP(gp)
	saved_registers ld
	addi	sp, sp, SAVED
	ret
