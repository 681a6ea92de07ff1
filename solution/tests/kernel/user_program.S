/*
 * The program of user_probe.h: position-independent, entries 16 bytes apart in a
 * table of jumps, ending in an ecall with the result in a0.
 */
	.section .rodata
	.balign 16
	.option norvc
	.globl user_probe_start, user_probe_end
user_probe_start:
	.irp	entry, do_return, do_load, do_store, do_jump, do_csr, do_break, do_recurse, do_registers, do_fetch, do_count
	.balign	16
	j	\entry
	.endr

do_return:
	ecall
do_load:
	lbu	a0, 0(a0)
	ecall
do_store:
	li	t0, 0x5a
	sb	t0, 0(a0)
	ecall
do_jump:
	jr	a0
do_csr:
	csrr	a0, sstatus
	ecall
do_break:
	ebreak
do_recurse:
	addi	sp, sp, -1024
	addi	sp, sp, -1024
	sd	a0, 0(sp)
	j	do_recurse
do_registers:
	mv	a0, ra
	.irp	register, gp, tp, t0, t1, t2, fp, s1, a1, a2, a3, a4, a5, a6, a7
	or	a0, a0, \register
	.endr
	.irp	register, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11, t3, t4, t5, t6
	or	a0, a0, \register
	.endr
	ecall
do_fetch:
	auipc	t0, 0
	srli	t0, t0, 12
	slli	t0, t0, 12
	li	t1, 4094
	add	t0, t0, t1
	jr	t0
do_count:
	mv	t0, a0
	.irp	register, ra, gp, tp, t1, t2, fp, s1, a2, a3, a4, a5, a6, a7
	mv	\register, a0
	.endr
	.irp	register, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11, t3, t4, t5, t6
	mv	\register, a0
	.endr
1:	addi	t0, t0, -1
	bnez	t0, 1b
	li	a1, 0
	.irp	register, ra, gp, tp, t1, t2, fp, s1, a2, a3, a4, a5, a6, a7
	xor	\register, \register, a0
	or	a1, a1, \register
	.endr
	.irp	register, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11, t3, t4, t5, t6
	xor	\register, \register, a0
	or	a1, a1, \register
	.endr
	add	a0, a0, a1
	ecall
user_probe_end:
