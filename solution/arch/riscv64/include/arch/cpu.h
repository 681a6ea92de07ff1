/*
 * What the rest of the kernel may ask of a hart: interrupts on and off, waiting,
 * its counters. Everything is inline and costs an instruction or two.
 *
 * A critical section saves the state it found and puts it back:
 *
 *	bool enabled = arch_irq_save();
 *	...
 *	arch_irq_restore(enabled);
 */
#ifndef ARCH_CPU_H
#define ARCH_CPU_H

#include <arch/csr.h>
#include <arch/pcpu.h>
#include <mazu/types.h>

/* Interrupts off; returns whether they were on. */
static inline bool arch_irq_save(void)
{
	bool enabled = csr_read_clear(sstatus, SSTATUS_SIE) & SSTATUS_SIE;

	arch_hart_settled();
	return enabled;
}

static inline void arch_irq_restore(bool enabled)
{
	if (enabled)
		csr_set(sstatus, SSTATUS_SIE);
}

static inline void arch_irq_enable(void)
{
	csr_set(sstatus, SSTATUS_SIE);
}

/* Whatever is pending is taken in between: an instruction is enough (privileged spec 3.1.9). */
static inline void arch_irq_window(void)
{
	csr_set(sstatus, SSTATUS_SIE);
	csr_clear(sstatus, SSTATUS_SIE);
}

static inline bool arch_irq_enabled(void)
{
	return csr_read(sstatus) & SSTATUS_SIE;
}

/* From now on this hart takes devices' interrupts, when interrupts are on at all. */
static inline void arch_irq_accept_devices(void)
{
	csr_set(sie, SIE_EXTERNAL);
}

/*
 * Sleep until an interrupt is pending. Called with interrupts off, it returns
 * with the interrupt still pending: test the condition, wait, then enable, and
 * no wake-up can slip in between.
 */
static inline void arch_wait_for_interrupt(void)
{
	__asm__ volatile("wfi" ::: "memory");
}

/* Ticks of the platform's timer (its rate is in the device tree). */
static inline u64 arch_ticks(void)
{
	return csr_read(time);
}

/* Clock cycles of this hart; under QEMU -icount, instructions. */
static inline u64 arch_cycles(void)
{
	return csr_read(cycle);
}

/* Another hart is waited for: a hint to who shares its core (Zihintpause; elsewhere it does nothing). */
static inline void arch_relax(void)
{
	__asm__ volatile(".word 0x0100000f" ::: "memory");
}

/* The caller's frame pointer, from which a backtrace starts. */
static inline uptr arch_frame_pointer(void)
{
	return (uptr)__builtin_frame_address(0);
}

/* A breakpoint trap, taken by trap_set_breakpoint's handler. */
static inline void arch_breakpoint(void)
{
	__asm__ volatile(".option push; .option norvc; ebreak; .option pop" ::: "memory");
}

#endif
