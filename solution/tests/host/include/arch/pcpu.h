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

struct arch_pcpu {
	uptr stack_base;
};

#endif
