/*
 * Where every hart but the first begins: entry.S has the first one's way.
 *
 * The firmware enters in supervisor mode, paging off, interrupts off, with a0 = the hart's id and a1 = what
 * arch_hart_start() gave it, the hart's struct pcpu.
 *
 * Order: memory is as the others have left it. The fence is an acquire, whose partner is the release in
 * arch_hart_start(), before the firmware is asked.
 *
 * Source: SBI 1.0, section 9.1 (hart start).
 */
#include <arch/layout.h>
#include <mazu/lab.h>

	.section .text
	.balign 4
	.globl hart_entry, hart_entry_lost
hart_entry:
	/* HOLE hart_entry */
	csrw	sie, zero
	la	t0, trap_too_early
	csrw	stvec, t0
	fence	r, rw
	mv	gp, a1
	ld	sp, PCPU_STACK_BASE(gp)
	li	t0, STACK_BYTES
	add	sp, sp, t0
	li	fp, 0
	li	ra, 0
	/* END HOLE hart_entry */
	tail	hart_main

/* The firmware did not say whose it is: it is in the list of those that were started, by its name. */
hart_entry_lost:
	fence	r, rw
	mv	a1, t0
1:	ld	t0, PCPU_STARTED_AS(a1)
	beq	t0, a0, hart_entry
	ld	a1, PCPU_STARTED_BEFORE(a1)
	bnez	a1, 1b
	j	trap_too_early
