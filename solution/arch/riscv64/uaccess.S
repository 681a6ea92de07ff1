/*
 * Copying between the kernel and a program: the only instructions that may touch
 * user pages in supervisor mode, because SUM is set around them and nowhere else.
 *
 * Each routine lies between two labels that a fixup (arch/fixup.h) knows: a fault
 * in between that nobody can mend goes on at its end, which clears SUM and says so.
 * A fault that can be mended (a page that appears when it is touched) is mended,
 * and the instruction runs again.
 *
 * Words are copied where both sides agree modulo 8, eight a round; else bytes.
 * The caller has checked the ranges; sizes may be anything.
 */
#include <arch/csr.h>
#include <arch/fixup.h>
#include <arch/uaccess.h>

	.section .text

	/*
	 * enum error arch_user_copy(void *to, const void *from, size_t size): one side is
	 * the program's.
	 */
	.globl arch_user_copy
arch_user_copy:
	li	t6, SSTATUS_SUM
	csrs	sstatus, t6
user_copy_start:
	xor	t0, a0, a1
	andi	t0, t0, 7
	bnez	t0, 5f
	add	a3, a0, a2		/* a3: the end of `to` */

	/* Bytes up to a word boundary. */
1:	andi	t0, a0, 7
	beqz	t0, 2f
	beq	a0, a3, 8f
	lbu	t1, 0(a1)
	sb	t1, 0(a0)
	addi	a0, a0, 1
	addi	a1, a1, 1
	j	1b

	/* Rounds of eight words. */
2:	sub	t0, a3, a0
	andi	t0, t0, -64
	beqz	t0, 4f
	add	a4, a0, t0
3:	ld	t0, 0(a1)
	ld	t1, 8(a1)
	ld	t2, 16(a1)
	ld	t3, 24(a1)
	ld	t4, 32(a1)
	ld	t5, 40(a1)
	ld	a5, 48(a1)
	ld	a6, 56(a1)
	addi	a1, a1, 64
	sd	t0, 0(a0)
	sd	t1, 8(a0)
	sd	t2, 16(a0)
	sd	t3, 24(a0)
	sd	t4, 32(a0)
	sd	t5, 40(a0)
	sd	a5, 48(a0)
	sd	a6, 56(a0)
	addi	a0, a0, 64
	bne	a0, a4, 3b

	/* Single words, then what is left in bytes. */
4:	sub	a2, a3, a0
	li	t1, 8
	bltu	a2, t1, 5f
	ld	t0, 0(a1)
	sd	t0, 0(a0)
	addi	a0, a0, 8
	addi	a1, a1, 8
	j	4b

5:	beqz	a2, 8f
	add	a3, a0, a2
6:	lbu	t0, 0(a1)
	sb	t0, 0(a0)
	addi	a0, a0, 1
	addi	a1, a1, 1
	bne	a0, a3, 6b
user_copy_end:
8:	csrc	sstatus, t6
	li	a0, 0
	ret

	/*
	 * size_t arch_user_text(u8 *to, const u8 *from, size_t size): bytes up to a
	 * NUL, `size` where there is none in the first `size`; SIZE_MAX: a fault.
	 */
	.globl arch_user_text
arch_user_text:
	li	t6, SSTATUS_SUM
	csrs	sstatus, t6
	mv	a3, a0
	add	a4, a0, a2
user_text_start:
1:	beq	a0, a4, user_text_end
	lbu	t0, 0(a1)
	beqz	t0, user_text_end
	sb	t0, 0(a0)
	addi	a0, a0, 1
	addi	a1, a1, 1
	j	1b
user_text_end:
	csrc	sstatus, t6
	sub	a0, a0, a3
	ret

user_copy_fault:
	csrc	sstatus, t6
	li	a0, UACCESS_FAULT
	ret
user_text_fault:
	csrc	sstatus, t6
	li	a0, -1
	ret

	FIXUP user_copy_start, user_copy_end, user_copy_fault
	FIXUP user_text_start, user_text_end, user_text_fault
