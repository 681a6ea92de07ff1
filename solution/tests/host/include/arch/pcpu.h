/*
 * The only hart of the host's tests.
 */
#ifndef ARCH_PCPU_H
#define ARCH_PCPU_H

#include <mazu/types.h>

struct pcpu;

extern struct pcpu *const host_cpu;

static inline struct pcpu *this_cpu(void)
{
	return host_cpu;
}

/* The first word of the hart's data. */
static inline i64 arch_hart_add(i64 value)
{
	u32 *word = (u32 *)(void *)host_cpu, before = *word;

	*word += (u32)value;
	return before;
}

struct arch_pcpu {
	uptr stack_base;
};

#endif
