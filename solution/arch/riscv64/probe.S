/*
 * bool arch_readable(uptr start, size_t size): look before you leap.
 *
 * Touches one byte in each 4 KiB of [start, start + size) and the last byte. If a load faults,
 * the trap handler recognises its address and continues at arch_probe_fault. For memory whose
 * existence is somebody else's claim; not a way to make wild pointers tame.
 */
	.section .text
	.globl arch_readable, arch_probe_load, arch_probe_fault
arch_readable:
	beqz	a1, 3f
	add	a1, a0, a1
	addi	a1, a1, -1		/* the last byte */
	bltu	a1, a0, arch_probe_fault	/* the range wraps */
	li	t1, 4096
1:	call	t0, arch_probe_load
	sub	t2, a1, a0
	add	a0, a0, t1
	bgeu	t2, t1, 1b
	mv	a0, a1
	call	t0, arch_probe_load
3:	li	a0, 1
	ret
	/* The one load that may fault; returns to t0. */
arch_probe_load:
	lbu	zero, 0(a0)
	jr	t0
arch_probe_fault:
	li	a0, 0
	ret
