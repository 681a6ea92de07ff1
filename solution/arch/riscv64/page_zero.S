/*
 * A page of zeros, at little more than a store a word: what a program pays for each
 * page that it touches first.
 */
	.section .text

	/* void arch_page_zero(void *page): 4096 bytes, aligned to 8. */
	.globl arch_page_zero
arch_page_zero:
	li	t1, 4
1:	.set	offset, 0
	.rept	128
	sd	zero, offset(a0)
	.set	offset, offset + 8
	.endr
	addi	a0, a0, 1024
	addi	t1, t1, -1
	bnez	t1, 1b
	ret
