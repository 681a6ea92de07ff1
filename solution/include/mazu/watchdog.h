/*
 * watchdog.h - what the watchdog knows.
 *
 * A task that is ready and has not run for CONFIG_WATCHDOG_TASK_MS is reported once: as an error with
 * its number, name and policy, and in the trace. It is reported again only after it ran.
 *
 * Where there are several harts, one that took no interrupt for CONFIG_WATCHDOG_HART_MS is reported, and so is its return.
 */
#ifndef MAZU_WATCHDOG_H
#define MAZU_WATCHDOG_H

#include <mazu/types.h>

/* Another limit, from now on. Task context. */
void watchdog_set_limit(u32 ms);

/* Reports since boot. */
u64 watchdog_reports(void);

/* Another limit for harts, from now on. Interrupts on, no lock held. */
void watchdog_set_hart_limit(u32 ms);

/* Reports of silent harts since boot. */
u64 watchdog_silences(void);

#endif
