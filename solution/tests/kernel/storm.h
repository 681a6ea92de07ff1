/*
 * storm.h - the same on every hart at once.
 *
 * Each storm runs one function in a task on each hart, which stays there. What it returns is a count of what
 * was wrong, or whatever the test wants added up. The caller's own hart takes part: its task gives way. All begin together.
 */
#ifndef MAZU_TESTS_KERNEL_STORM_H
#define MAZU_TESTS_KERNEL_STORM_H

#include <mazu/selftest.h>
#include <mazu/smp.h>
#include <mazu/task.h>

#define STORM_PRIORITY 5

/* There is nobody to meet on one hart. */
#define NEEDS_HARTS(t)                                                                             \
	do {                                                                                       \
		if (harts_online() == 1)                                                           \
			SKIP(t, "there is one hart");                                              \
	} while (0)

/* A task of STORM_PRIORITY that may run on `harts`. */
struct result_task storm_task(u64 harts, u64 (*run)(void *), void *arg);

/* Until all have ended. Their results, added. A task that cannot be made is a failure, and its hart is left out. */
u64 storm(struct selftest *t, u64 (*run)(void *), void *arg);

/* How many take part. */
u64 storm_harts(void);

/* The next of a sequence of numbers that look random; each hart has its own. Begins with any number but 0. */
u64 storm_dice(u64 *state);

#endif
