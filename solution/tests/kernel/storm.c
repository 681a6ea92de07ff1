/*
 * Storms: see storm.h.
 *
 * All begin together: whoever is there waits until the caller opens the gate, which it does before it makes the last
 * one, that of its own hart, as that one takes the hart from it. Should the caller have been moved to a hart
 * that waits, and stand in nobody's way but its own, they begin without it after GATE_NS.
 */
#include <mazu/spinlock.h>
#include <mazu/time.h>

#include "storm.h"

#define GATE_NS NS_PER_MS

static struct {
	u64 (*run)(void *arg);
	bool open; /* atomic */
} gate;		   /* one storm at a time */

struct result_task storm_task(u64 harts, u64 (*run)(void *), void *arg)
{
	return task_create(
		&(struct task_attributes){
			.name = STR("storm"),
			.params = { .policy = SCHED_FIFO, .priority = STORM_PRIORITY },
			.affinity = harts,
		},
		run, arg);
}

static u64 run_gated(void *arg)
{
	u64 since = time_ticks();

	while (!atomic_load_acquire(&gate.open) && time_ticks() - since < time_ticks_for(GATE_NS))
		spin_relax();
	return gate.run(arg);
}

u64 storm(struct selftest *t, u64 (*run)(void *), void *arg)
{
	struct result_task tasks[CONFIG_CPU_MAX];
	u64 harts = harts_online(), own = hart_bit(this_cpu()->index), sum = 0;

	gate.run = run;
	gate.open = false;
	for_each_hart(i, harts & ~own) tasks[i] = storm_task(hart_bit((u32)i), run_gated, arg);
	atomic_store_release(&gate.open, true);
	for_each_hart(i, own) tasks[i] = storm_task(own, run_gated, arg);
	for_each_hart(i, harts) if (CHECK(t, !tasks[i].err)) sum += task_join(tasks[i].value).value;
	return sum;
}

u64 storm_harts(void)
{
	u64 count = 0;

	for_each_hart(i, harts_online()) count += i < CONFIG_CPU_MAX;
	return count;
}

/* Numerical Recipes' generator, of which the upper half is good. */
u64 storm_dice(u64 *state)
{
	*state = *state * 6364136223846793005UL + 1442695040888963407UL;
	return *state >> 33;
}
