/*
 * fair_world.h - a hart with ordinary tasks and a clock of its own, for tests on the host and in the guest.
 *
 * The world does what the core of the scheduler does (sched.c), with the real fair class: it wakes
 * tasks and lets them sleep, charges the running one, switches when the class says so, and runs
 * up to the next moment at which something may happen. It keeps its own account: how much service
 * each task had, and in which order they came into the tree.
 */
#ifndef SCHED_FAIR_WORLD_H
#define SCHED_FAIR_WORLD_H

#include <mazu/pcpu.h>

#include "../../kernel/sched/runqueue.h"

#define WORLD_TASKS 48
#define WORLD_PICTURE 64

#define WORLD_MS 10000 /* ticks */
#define WORLD_SLICE (3 * WORLD_MS)
#define WORLD_TICKS(ticks) ((i64)(ticks) << FAIR_VIRTUAL_SHIFT) /* as a lag */

struct fair_world {
	struct runqueue rq;
	struct pcpu cpu;
	struct task idle;
	struct task tasks[WORLD_TASKS];
	u64 service[WORLD_TASKS]; /* ticks that it had */
	u64 order[WORLD_TASKS];	  /* when it came into the tree: larger is later */
	u64 orders;
	u64 now;
	u64 late;    /* how much later than asked for the timer comes */
	u64 quantum; /* not 0: whose turn it is, is asked anew after each */
	char picture[WORLD_PICTURE];
	void (*watch)(struct fair_world *world); /* NULL, or is called before each pick */
};

/* The tests have one, in turns. */
extern struct fair_world fair_world;

void world_init(struct fair_world *world, u64 now);

/* Nobody with this number is queued: one that has no history, with this weight and slice. */
void world_task(struct fair_world *world, u32 number, u32 weight, u64 slice);

/* fair_world anew, with `count` tasks of nice 0 and slices of 3 ms; none of them wants the hart. */
void world_nice_0(u32 count);
/* The first `count` of its tasks want it. */
void world_wake_all(u32 count);

/* It begins, or ends, to want the hart. */
void world_wake(struct fair_world *world, u32 number);
void world_sleep(struct fair_world *world, u32 number);
bool world_is_queued(const struct fair_world *world, u32 number);

/* Another weight, whether it is queued or not: it leaves, and comes with that. */
void world_weight(struct fair_world *world, u32 number, u32 weight);

/* The running one lets others go first. */
void world_yield(struct fair_world *world);

/* The best that is known gets the hart, or the pick. */
void world_schedule(struct fair_world *world);

/* The number of the running task; WORLD_TASKS: nobody. */
u32 world_running(const struct fair_world *world);

/* Until the clock says `until`. */
void world_run(struct fair_world *world, u64 until);

/* The same for so many units of time; a letter for each says who ran in it: 'A' is task 0, '.' nobody. */
struct str world_picture(struct fair_world *world, u64 unit, u32 units);

/* Ticks that it had, up to now. */
u64 world_service(const struct fair_world *world, u32 number);

/* weight * (V - vruntime), in ticks << FAIR_VIRTUAL_SHIFT, to a unit of V. Of a queued task. */
i64 world_lag(const struct fair_world *world, u32 number);

#endif
