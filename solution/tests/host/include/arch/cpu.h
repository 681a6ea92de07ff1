/*
 * A hart as the host's tests see it: interrupts are a flag that nobody raises.
 */
#ifndef ARCH_CPU_H
#define ARCH_CPU_H

#include <mazu/types.h>

extern bool host_irqs; /* on */

static inline bool arch_irq_save(void)
{
	bool were_on = host_irqs;

	host_irqs = false;
	return were_on;
}

static inline void arch_irq_restore(bool enabled)
{
	if (enabled)
		host_irqs = true;
}

static inline bool arch_irq_enabled(void)
{
	return host_irqs;
}

#endif
