/*
 * The part of a hart's data that trap entry itself works with.
 *
 * Invariant: in the kernel gp points at the hart's struct pcpu and sscratch is
 * 0; in user mode sscratch holds that pointer, and gp is the user's.
 */
#ifndef ARCH_PCPU_H
#define ARCH_PCPU_H

#include <mazu/types.h>

struct arch_pcpu {
	uptr stack_base;     /* lowest address of the stack in use; trap entry checks sp by it */
	u64 scratch;	     /* t0 of the interrupted code, while trap entry checks the stack */
	u64 trap_sp;	     /* sp of the interrupted code, while trap entry checks the stack */
	uptr kernel_sp;	     /* stack pointer that a trap from user mode starts with */
	uptr emergency_base; /* lowest address of the stack for a stack overflow */
	u64 overflows; /* times the emergency stack was entered; a second one stops the hart */
};

#endif
