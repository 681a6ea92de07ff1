/*
 * The part of a hart's data that trap entry itself works with.
 *
 * Invariant: in the kernel gp points at the hart's struct pcpu and sscratch is
 * 0; in user mode sscratch holds that pointer, and gp is the user's.
 */
#ifndef ARCH_PCPU_H
#define ARCH_PCPU_H

#include <mazu/types.h>

struct pcpu;

register struct pcpu *pcpu_self __asm__("gp");

static inline struct pcpu *this_cpu(void)
{
	return pcpu_self;
}

/*
 * Adds to the first word of this hart's data, and returns what was there. One instruction does it, so it is
 * one hart's word also where the task may be moved to another hart just before or just after; to the
 * compiler this_cpu() is another one behind it.
 */
static inline i64 arch_hart_add(i64 value)
{
	i64 before;

	__asm__ volatile("amoadd.w %0, %2, (%1)"
			 : "=r"(before), "+r"(pcpu_self)
			 : "r"(value)
			 : "memory");
	return before;
}

/* The task has just been tied to a hart: for the compiler, too, this is where this_cpu() is told anew. */
static inline void arch_hart_settled(void)
{
	__asm__ volatile("" : "+r"(pcpu_self));
}

struct arch_pcpu {
	uptr stack_base;     /* lowest usable address of the stack in use, above its guard page */
	u64 scratch;	     /* t0 of the interrupted code, while trap entry checks the stack */
	u64 trap_sp;	     /* sp of the interrupted code, while trap entry checks the stack */
	uptr kernel_sp;	     /* stack pointer that a trap from user mode starts with */
	uptr emergency_base; /* stack_base of the stack for a stack overflow */
	u64 overflows; /* times the emergency stack was entered; a second one stops the hart */
	uptr overflowed_base; /* stack_base before that */
	u64 started_as; /* what the firmware calls it; with the next: of harts that were started */
	struct pcpu *started_before;
	bool has_sstc; /* the timer has a register of its own (timer.h) */
};

#endif
