/*
 * fair_ideal.h - the fair class beside an ideal hart, which serves all that want it at the same time.
 *
 * The reference knows no virtual time and no tree. For each queued task it has the lag: what the ideal
 * hart gave it less what it really had. Time that passes gives each its part by weight, service takes
 * it away; who leaves gives its lag to those who stay, by weight, and who comes takes from them what
 * it is owed. All of it is in floating point, with more digits than the ticks have.
 *
 * The world is fair_world: one hart, one reference, one life at a time.
 *
 * Beside that each choice is made a second time by looking at all tasks, with sums of its own.
 */
#ifndef HOST_FAIR_IDEAL_H
#define HOST_FAIR_IDEAL_H

#include "../sched/fair_world.h"

/* What the reference knows of a task. */
struct fair_ideal {
	long double lag; /* ticks; of one that is not queued: what it left with */
	u64 service;	 /* up to then, lag has it */
};
extern struct fair_ideal fair_ideal[WORLD_TASKS];

struct fair_life {
	u64 seed;
	u32 tasks;
	u32 slice;   /* the longest */
	u64 settled; /* the clock: up to then, all lags have it */
	u64 moves;   /* how often somebody came or left since ideal_adopt: each costs roundings */
	u64 picks;
	u32 wrong;	   /* choices that were not those of looking at all */
	long double worst; /* the largest lag seen, in slices */
};
extern struct fair_life fair_life;

/* So many tasks of random weights, of which none wants the hart yet. */
void ideal_begin(u64 seed, u32 tasks, u32 slice);

/* A task comes, or leaves: in the world and at the ideal hart. */
void ideal_come(u32 number);
void ideal_leave(u32 number);

/* All lags are those of now. */
void ideal_settle(void);

/* All queued but one (WORLD_TASKS: all) share `ticks` by weight. */
void ideal_share(long double ticks, u32 but);

/* Whether the queued task is not ahead of the average, by looking at all. */
bool ideal_is_eligible(u32 number);

/* Whether all lags are what they should be, and together nothing. The running task was charged. */
bool ideal_agrees(void);

/*
 * The reference takes over the roundings up to now, which are small. Who comes and goes hands its lag around, a
 * rounding with it, and that of a hundred moves may come to one task.
 */
void ideal_adopt(void);

u32 ideal_random_weight(void);

#endif
