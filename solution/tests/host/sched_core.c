/*
 * sched_core.c - what the scheduler asks of the machine, on the host: switching is nothing, and the timer
 * is looked at by whoever moves the clock (sched_world.c).
 */
#include "machine.h"

#include "../../kernel/sched/runqueue.h"

#include <mazu/addrspace.h>
#include <mazu/hart_timer.h>
#include <mazu/panic.h>
#include <mazu/task.h>
#include <mazu/time.h>

struct spinlock tasks_lock = SPINLOCK_INIT(LOCK_TASKS);

static struct callout_queue callouts;

void machine_clock_start(void)
{
	time_init(10000000);
	callout_queue_init(&callouts);
	this_cpu()->callouts = &callouts;
}

void arch_switch(struct context *from, struct context *to)
{
	(void)from, (void)to;
}

void addrspace_switch(struct addrspace *space)
{
	(void)space;
}

void hart_timer_update(void)
{
}

void task_exit(u64 result)
{
	panic("a task ended with %lu", result);
}
