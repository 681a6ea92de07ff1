/*
 * Look before you leap: loads and stores that may fault.
 *
 * All of them stand between arch_probe_load and probe_fault; a fault there continues at probe_fault, which
 * answers "no" (fixup.h). For memory and devices whose existence is somebody else's claim; not
 * a way to make wild pointers tame.
 */
#include <arch/fixup.h>

	.section .text
	.globl arch_readable, arch_answers_byte, arch_answers_word, arch_keeps_word
	.globl arch_probe_load

	/*
	 * bool arch_readable(uptr start, size_t size): touches one byte in each
	 * 4 KiB of [start, start + size), and the last byte.
	 */
arch_readable:
	beqz	a1, yes
	add	a1, a0, a1
	addi	a1, a1, -1		/* the last byte */
	bltu	a1, a0, probe_fault	/* the range wraps */
	li	t1, 4096
1:	call	t0, arch_probe_load
	sub	t2, a1, a0
	add	a0, a0, t1
	bgeu	t2, t1, 1b
	mv	a0, a1
	call	t0, arch_probe_load
yes:	li	a0, 1
	ret

	/* Returns to t0. */
arch_probe_load:
	lbu	zero, 0(a0)
	jr	t0
	/* bool arch_answers_byte(uptr address) */
arch_answers_byte:
	lbu	zero, 0(a0)
	j	yes
	/* bool arch_answers_word(uptr address) */
arch_answers_word:
	andi	t0, a0, 3
	bnez	t0, probe_fault
	lw	zero, 0(a0)
	j	yes
	/* bool arch_keeps_word(uptr address): the word is as it was afterwards. */
arch_keeps_word:
	andi	t0, a0, 3
	bnez	t0, probe_fault
	lw	t0, 0(a0)
	not	t1, t0
	sw	t1, 0(a0)
	lw	t2, 0(a0)
	sw	t0, 0(a0)
	beq	t1, t2, yes
probe_fault:
	li	a0, 0
	ret

	FIXUP arch_probe_load, probe_fault, probe_fault
