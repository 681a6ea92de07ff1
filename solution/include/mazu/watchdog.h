/*
 * watchdog.h - what the watchdog knows.
 *
 * A task that is ready and has not run for CONFIG_WATCHDOG_TASK_MS is reported once: as an error with
 * its number, name and policy, and in the trace. It is reported again only after it ran.
 */
#ifndef MAZU_WATCHDOG_H
#define MAZU_WATCHDOG_H

#include <mazu/types.h>

/* Another limit, from now on. Task context. */
void watchdog_set_limit(u32 ms);

/* Reports since boot. */
u64 watchdog_reports(void);

/* When hart `hart` last served its timer for the watchdog, in raw ticks; 0: never. Any hart may ask. */
u64 watchdog_seen(u32 hart);

#endif
