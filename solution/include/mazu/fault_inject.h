/*
 * fault_inject.h - allocations that fail when they are told to.
 *
 * Code that runs out of memory once a year is wrong once a year. With CONFIG_FAULT_INJECTION
 * the Nth allocation from now fails, for any N, so that every failure path runs.
 *
 * All allocators ask fault_inject_hit() first. Counting is per kernel, interrupts included.
 */
#ifndef MAZU_FAULT_INJECT_H
#define MAZU_FAULT_INJECT_H

#include <mazu/config.h>
#include <mazu/types.h>

/* The nth allocation from now fails, once; 1 is the next. 0: none does. */
void fault_inject_set(u64 nth);

/* Whether one was made to fail since the last fault_inject_set(). */
bool fault_inject_fired(void);

bool fault_inject_count(void);

/* True: this allocation must fail. */
static inline bool fault_inject_hit(void)
{
	return IS_ENABLED(CONFIG_FAULT_INJECTION) && unlikely(fault_inject_count());
}

#endif
