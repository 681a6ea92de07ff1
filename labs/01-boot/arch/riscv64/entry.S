/*
 * The first instructions of the kernel.
 *
 * The firmware enters here in supervisor mode, paging off, interrupts off, with
 * a0 = this hart's id and a1 = the physical address of the device tree. Nothing
 * else is known: no stack, no data, and .bss holds whatever the memory held.
 *
 * What C expects before its first function may run, and entry provides:
 *   gp  the hart's struct pcpu (never the linker's global pointer)
 *   sp  the top of a stack, 16-byte aligned, growing down
 *   every variable of .bss zero
 * and a0, a1 as the firmware gave them, the cycle counter at entry in a2, and a
 * trap vector that at least says so if anything goes wrong meanwhile.
 *
 * A hart that another one starts may come here, too, instead of to hart_entry.S: a firmware that lets it go before it has
 * written down where to (OpenSBI 1.1 does, if the hart looks at the wrong moment) sends it where the first went.
 * arch_hart_start() has left its name by then.
 *
 * Source: SBI specification 1.0, section 2; RISC-V ELF psABI 1.0 (registers).
 */
#include <arch/halt.h>
#include <arch/layout.h>
#include <mazu/lab.h>

	.section .text.entry, "ax"
	.option norelax
	.globl _start
_start:
	csrw	sie, zero
	rdcycle	a2
	la	t0, trap_too_early
	csrw	stvec, t0
#ifdef CONFIG_SMP
	ld	t0, harts_started
	bnez	t0, hart_entry_lost
#endif

	/*
	 * From here to the end of the hole: a0, a1 and a2 must survive;
	 * pcpus, boot_stack_top, _bss_start and _bss_end are symbols whose
	 * address is what matters (la); both ends of .bss are multiples of 8.
	 */
	/* HOLE entry_runtime */
	/*
	 * Make the machine fit for C: point gp at pcpus and sp at boot_stack_top, and set every
	 * 8-byte word from _bss_start up to, but not including, _bss_end to zero. Use la to
	 * load an address, and registers t0 to t6 only; a0, a1 and a2 must come out as they
	 * went in. There may be nothing to clear.
	 */
	LAB_TODO(1, 1)
	/* END HOLE entry_runtime */

	/* A backtrace ends where the frame pointer and the return address are 0. */
	li	fp, 0
	li	ra, 0
	tail	kernel_main

	.balign 4
	.globl trap_too_early
trap_too_early:
	ARCH_HALT_WITH("\nPANIC: trap before the kernel was ready\n")
/* mazu: lab 1 interface 543265e3f8c7 */
