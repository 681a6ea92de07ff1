/*
 * A hart as the host's tests see it: interrupts are a flag that nobody raises, and its clock
 * stands still until a test moves it.
 */
#ifndef ARCH_CPU_H
#define ARCH_CPU_H

#include <mazu/types.h>

extern bool host_irqs; /* on */
extern u64 host_ticks;

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

static inline void arch_irq_enable(void)
{
	host_irqs = true;
}

/* Here interrupts come when a test says so. */
static inline void arch_irq_window(void)
{
}

static inline bool arch_irq_enabled(void)
{
	return host_irqs;
}

static inline void arch_relax(void)
{
}

static inline u64 arch_ticks(void)
{
	return host_ticks;
}

static inline u64 arch_cycles(void)
{
	return host_ticks;
}

#endif
