/*
 * The timer of the host's only hart: nothing comes by itself, a test looks when it would have.
 */
#ifndef ARCH_TIMER_H
#define ARCH_TIMER_H

#include <mazu/pcpu.h>

static inline void arch_timer_set(u64 raw_ticks)
{
	(void)raw_ticks;
}

#endif
