/*
 * The trap vector: every exception and interrupt of this hart arrives here.
 *
 * The interrupted code has done nothing to prepare; all its registers are live.
 * We find our own data (gp), a stack that is sure to hold, save everything into a
 * struct trap_frame, let C decide (trap_dispatch), and put everything back.
 *
 * Whose registers are they? sscratch tells: it is 0 while the kernel runs and
 * holds the hart's struct pcpu while user code runs. One swap with gp answers
 * the question and yields the pointer.
 *
 * A trap from the kernel goes on using the stack it found, so that stack must be
 * checked first: without room for the frame in [stack_base, stack_base +
 * STACK_BYTES), saving would fault again, for ever. Then the frame goes to the
 * emergency stack. A second overflow cannot be survived: it prints a line by
 * registers alone.
 *
 * A trap's end is where the interrupted task may lose the hart: preempt.h has the word that is looked at.
 *
 * A trap may interrupt the kernel while it copies from user memory. What runs here
 * must not inherit that right, so SUM goes off with the status being saved.
 *
 * Costs: 96 instructions there and back, without trap_dispatch.
 *
 * Source: Privileged Architecture 20211203, section 4.1.1 (sstatus), 4.1.6
 * (sscratch), 4.1.7 (sepc).
 */
#include <arch/csr.h>
#include <arch/halt.h>
#include <arch/layout.h>

	.altmacro
	.macro	for_registers instruction, from, to
	.set	n, \from
	.rept	\to - \from + 1
	one_register \instruction, %n
	.set	n, n + 1
	.endr
	.endm
	.macro	one_register instruction, number
	\instruction	x\number, FRAME_REG(\number)(sp)
	.endm

	/* Completes the frame at sp with what the hart knows of the trap. */
	.macro	save_cause
	li	t2, SSTATUS_SUM
	csrrc	t2, sstatus, t2
	csrr	t1, sepc
	csrr	t3, scause
	csrr	t4, stval
	sd	t1, FRAME_PC(sp)
	sd	t2, FRAME_STATUS(sp)
	sd	t3, FRAME_CAUSE(sp)
	sd	t4, FRAME_VALUE(sp)
	mv	a0, sp
	.endm
	.macro	restore_cause
	ld	t0, FRAME_PC(sp)
	ld	t1, FRAME_STATUS(sp)
	csrw	sepc, t0
	csrw	sstatus, t1
	.endm

	.section .text
	.balign 4
	.globl trap_entry
trap_entry:
	csrrw	gp, sscratch, gp
	bnez	gp, from_user
	csrrw	gp, sscratch, zero

	sd	t0, PCPU_SCRATCH(gp)
	ld	t0, PCPU_STACK_BASE(gp)
	addi	sp, sp, -FRAME_SIZE
	sub	t0, sp, t0
	srli	t0, t0, 12
	sltiu	t0, t0, STACK_PAGES
	beqz	t0, stack_overflow
	ld	t0, PCPU_SCRATCH(gp)
	sd	ra, FRAME_REG(1)(sp)
	addi	ra, sp, FRAME_SIZE
	sd	ra, FRAME_REG(2)(sp)
	sd	gp, FRAME_REG(3)(sp)
	for_registers sd, 4, 31
	save_cause
	call	trap_dispatch
	.globl trap_return
trap_return:
	lw	t0, PCPU_PREEMPT(gp)
	beqz	t0, preempt
1:	restore_cause
	ld	ra, FRAME_REG(1)(sp)
	for_registers ld, 4, 31
	ld	sp, FRAME_REG(2)(sp)
	sret

preempt:
	mv	a0, sp
	call	trap_preempt
	j	1b

from_user:
	sd	sp, PCPU_TRAP_SP(gp)
	ld	sp, PCPU_KERNEL_SP(gp)
	addi	sp, sp, -FRAME_SIZE
	sd	ra, FRAME_REG(1)(sp)
	ld	ra, PCPU_TRAP_SP(gp)
	sd	ra, FRAME_REG(2)(sp)
	csrrw	ra, sscratch, zero
	sd	ra, FRAME_REG(3)(sp)
	for_registers sd, 4, 31
	save_cause
	li	fp, 0
	call	trap_dispatch
	lw	t0, PCPU_PREEMPT(gp)
	bnez	t0, 1f
	mv	a0, sp
	call	trap_preempt
1:	restore_cause
	addi	t0, sp, FRAME_SIZE
	sd	t0, PCPU_KERNEL_SP(gp)
	csrw	sscratch, gp
	ld	ra, FRAME_REG(1)(sp)
	ld	gp, FRAME_REG(3)(sp)
	for_registers ld, 4, 31
	ld	sp, FRAME_REG(2)(sp)
	sret

	/* sp is the interrupted one less a frame; t0 is in PCPU_SCRATCH. */
stack_overflow:
	addi	sp, sp, FRAME_SIZE
	sd	sp, PCPU_TRAP_SP(gp)
	ld	t0, PCPU_OVERFLOWS(gp)
	bnez	t0, emergency_overflow
	addi	t0, t0, 1
	sd	t0, PCPU_OVERFLOWS(gp)
	ld	t0, PCPU_STACK_BASE(gp)
	sd	t0, PCPU_OVERFLOWED_BASE(gp)
	ld	sp, PCPU_EMERGENCY_BASE(gp)
	sd	sp, PCPU_STACK_BASE(gp)
	li	t0, STACK_BYTES - FRAME_SIZE
	add	sp, sp, t0
	sd	ra, FRAME_REG(1)(sp)
	ld	ra, PCPU_TRAP_SP(gp)
	sd	ra, FRAME_REG(2)(sp)
	sd	gp, FRAME_REG(3)(sp)
	ld	t0, PCPU_SCRATCH(gp)
	for_registers sd, 4, 31
	save_cause
	call	trap_stack_overflow

emergency_overflow:
	ARCH_HALT_WITH("\nPANIC: stack overflow on the emergency stack\n")
