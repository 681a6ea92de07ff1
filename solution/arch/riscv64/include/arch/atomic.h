/*
 * atomic.h - atomic operations that are one instruction here, and two as the compiler makes them.
 *
 * It orders by a fence before the operation; the instruction can do that itself (.rl), which also orders less: only
 * what stands before it, and only with it. These are at the end of each locked section.
 *
 * Source: RISC-V Unprivileged ISA 20191213, sections 8.4 (AMOs) and 8.1 (aq and rl).
 */
#ifndef ARCH_ATOMIC_H
#define ARCH_ATOMIC_H

#include <mazu/types.h>

/* Both return what was there before. */
static inline u64 arch_add_release_u64(u64 *word, u64 value)
{
	u64 before;

	__asm__ volatile("amoadd.d.rl %0, %2, %1"
			 : "=r"(before), "+A"(*word)
			 : "r"(value)
			 : "memory");
	return before;
}

static inline u32 arch_add_release_u32(u32 *word, u32 value)
{
	u64 before;

	__asm__ volatile("amoadd.w.rl %0, %2, %1"
			 : "=r"(before), "+A"(*word)
			 : "r"(value)
			 : "memory");
	return (u32)before;
}

#endif
