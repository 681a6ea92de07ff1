/*
 * sched_world.h - a hart on which time passes only in tasks: the scheduler's own core, classes, budgets and
 * callouts, under a clock that jumps from one event to the next.
 *
 * A task is a number of ticks that it wants (work) and what it does when it had them (done): get more
 * work, or block. Switches take no time; interrupts come when they are due or a random few ticks late.
 */
#ifndef MAZU_TESTS_SCHED_WORLD_H
#define MAZU_TESTS_SCHED_WORLD_H

#include "../../kernel/sched/runqueue.h"

#define SIM_TASKS 40
#define SIM_FOREVER UINT64_MAX

struct sim_task {
	struct task task;
	u64 work;   /* ticks that it wants before done() */
	u64 served; /* ticks that it had */
	/* Called as the running task, no lock held: sets work, or blocks. */
	void (*done)(struct sim_task *sim);
	u64 release, deadline; /* of its job */
	u64 jobs, misses;
	u64 late_max;
	u32 kind; /* the test's */
};

struct sim {
	struct runqueue *rq;
	struct sim_task tasks[SIM_TASKS];
	u32 count;
	u64 seed;
	u32 late; /* interrupts are at most so many ticks late */
	/* Called after `task` (NULL: idle) ran from `from` to now. */
	void (*ran)(struct sim_task *task, u64 from);
	u64 switches;
};

extern struct sim sim;

/* An empty hart, now. */
void sim_begin(u64 seed);
/* All tasks are gone, and the reservations with them. */
void sim_end(void);

/* A new task, as task_create() makes one; NULL: not admitted. Its first job begins with done(). */
struct sim_task *sim_task(const struct sched_params *params, struct sched_domain *domain,
			  void (*done)(struct sim_task *sim));

/* The running task blocks, until `when`. */
void sim_sleep_until(struct sim_task *task, u64 when);
/* Now. */
void sim_wake(struct sim_task *task);
void sim_set(struct sim_task *task, const struct sched_params *params);

void sim_run_until(u64 until);
void sim_run(u64 ticks);

struct sim_task *sim_running(void);

#endif
