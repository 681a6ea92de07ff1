/*
 * model_fair.c - the fair class against an ideal hart, which serves all that want it at the same time.
 *
 * The reference knows no virtual time and no tree. For each queued task it has the lag: what the ideal
 * hart gave it less what it really had. Time that passes gives each its part by weight, service takes
 * it away; who leaves gives its lag to those who stay, by weight, and who comes takes from them what
 * it is owed. All of it is in floating point, with more digits than the ticks have.
 *
 * Beside that each choice is made a second time by looking at all tasks, with sums of its own.
 */
#include "../sched/fair_world.h"
#include "random.h"

#include <mazu/selftest.h>

#define UNIT ((long double)(1UL << FAIR_VIRTUAL_SHIFT))

static struct fair_world world;

/* What the reference knows of a task. */
static struct {
	long double lag; /* ticks; of one that is not queued: what it left with */
	u64 service;	 /* up to then, lag has it */
} ideal[WORLD_TASKS];

static struct {
	u64 seed;
	u32 tasks;
	u32 slice;   /* the longest */
	u64 settled; /* the clock: up to then, all lags have it */
	u64 moves;   /* how often somebody came or left: each costs roundings */
	u64 picks;
	u32 wrong;	   /* picks that were not the best */
	long double worst; /* the largest lag seen, in slices */
} life;

/* ---- The reference ---- */

static u64 weights(u32 but)
{
	u64 sum = 0;

	for (u32 i = 0; i < life.tasks; i++)
		if (i != but && world_is_queued(&world, i))
			sum += world.tasks[i].fair.weight;
	return sum;
}

/* All queued but one share `ticks` by weight. */
static void share(long double ticks, u32 but)
{
	u64 sum = weights(but);

	for (u32 i = 0; i < life.tasks; i++)
		if (i != but && world_is_queued(&world, i))
			ideal[i].lag += ticks * world.tasks[i].fair.weight / sum;
}

/* All lags are those of now. */
static void settle(void)
{
	if (weights(WORLD_TASKS))
		share((long double)(world.now - life.settled), WORLD_TASKS);
	life.settled = world.now;
	for (u32 i = 0; i < life.tasks; i++) {
		u64 service = world_service(&world, i);

		ideal[i].lag -= service - ideal[i].service;
		ideal[i].service = service;
	}
}

static void leave(u32 number)
{
	long double slice = world.tasks[number].fair.slice;

	settle();
	world_sleep(&world, number);
	if (weights(WORLD_TASKS))
		share(ideal[number].lag, WORLD_TASKS);
	ideal[number].lag = MAX(-slice, MIN(slice, ideal[number].lag));
	life.moves++;
}

static void come(u32 number)
{
	settle();
	if (weights(number))
		share(-ideal[number].lag, number);
	else
		ideal[number].lag = 0;
	world_wake(&world, number);
	life.moves++;
}

/* ---- The choice, by looking at all ---- */

/* Whether the task is not ahead of the average: no sum that the class keeps. */
static bool is_eligible(u32 number)
{
	__int128 ahead = 0;

	for (u32 i = 0; i < life.tasks; i++)
		if (world_is_queued(&world, i))
			ahead += (__int128)(i64)(world.tasks[number].fair.vruntime -
						 world.tasks[i].fair.vruntime) *
				 world.tasks[i].fair.weight;
	return ahead <= 0;
}

/* Whether a goes before b: by deadline; then who is in the tree, and there who came first. */
static bool goes_before(u32 a, u32 b)
{
	u64 ours = world.tasks[a].fair.node.key, theirs = world.tasks[b].fair.node.key;
	u32 running = world_running(&world);

	if (ours != theirs)
		return rb_before(ours, theirs);
	return a != running && (b == running || world.order[a] < world.order[b]);
}

static struct task *best_of_all(void)
{
	u32 best = WORLD_TASKS;

	for (u32 i = 0; i < life.tasks; i++)
		if (world_is_queued(&world, i) && is_eligible(i) &&
		    (best == WORLD_TASKS || goes_before(i, best)))
			best = i;
	return best == WORLD_TASKS ? NULL : &world.tasks[best];
}

static void check_pick(struct fair_world *of)
{
	life.picks++;
	if (fair_pick(&of->rq.fair) != best_of_all())
		life.wrong++;
	for (u32 i = 0; i < life.tasks; i++)
		if (world_is_queued(of, i) &&
		    fair_is_eligible(&of->rq.fair, of->tasks[i].fair.vruntime) != is_eligible(i))
			life.wrong++;
}

/* ---- Lives ---- */

static void begin(u64 seed, u32 tasks, u32 slice)
{
	world_init(&world, 1000);
	world.rq.fair.zero = UINT64_MAX - (1UL << 22); /* virtual time wraps soon */
	world.watch = check_pick;
	life = (__typeof__(life)){
		.seed = seed, .tasks = tasks, .slice = slice, .settled = world.now
	};
	for (u32 i = 0; i < tasks; i++) {
		i32 nice = (i32)random_below(&life.seed, 40) - 20;

		world_task(&world, i, fair_weight(nice), slice);
		ideal[i].lag = 0;
		ideal[i].service = 0;
	}
}

/* Lags are what the reference says; together they are nothing. */
static bool lags_agree(void)
{
	long double sum = 0, error = 1 + 0.3L * life.moves;

	settle();
	for (u32 i = 0; i < life.tasks; i++) {
		long double lag;

		if (!world_is_queued(&world, i))
			continue;
		lag = world_lag(&world, i) / UNIT;
		sum += lag;
		if (lag - ideal[i].lag > error || ideal[i].lag - lag > error)
			return false;
		lag = MAX(lag, -lag) / world.tasks[i].fair.slice;
		life.worst = MAX(life.worst, lag);
	}
	return sum < life.tasks && -sum < life.tasks;
}

/* Time goes on by up to two slices; the running task is charged, whoever it is. */
static void pass(void)
{
	world.late = random_below(&life.seed, 4) ? 0 : random_below(&life.seed, 20);
	world_run(&world, world.now + random_below(&life.seed, 2 * life.slice));
}

/* What happens next happens in the middle of a turn, of which nobody was told. */
static void in_between(void)
{
	u64 left;

	world_schedule(&world);
	left = MIN(world.rq.expires - world.now, (u64)life.slice);
	world.now += random_below(&life.seed, (u32)left);
}

/* The largest difference that theorem 1 allows: a slice, what the timer was late, and a tick for rounding. */
static bool is_within_slice(void)
{
	long double most = life.slice + 21;

	for (u32 i = 0; i < life.tasks; i++)
		if (world_is_queued(&world, i) && (ideal[i].lag > most || -ideal[i].lag > most))
			return false;
	return true;
}

/* All come, one after the other, and nobody goes: nobody brings a lag, so the theorem holds at each moment. */
static void steady_life(struct selftest *t, u64 seed, u32 tasks, bool same_slice)
{
	u32 here = 0;

	begin(seed, tasks, 200 + seed % 5 * 1000);
	for (u32 i = 0; i < tasks && !same_slice; i++)
		world.tasks[i].fair.slice = 100 + random_below(&life.seed, life.slice - 99);
	for (u32 step = 0; step < 3000; step++) {
		if (here < tasks && random_below(&life.seed, 8) == 0) {
			in_between();
			come(here);
			REQUIRE(t, is_eligible(here++));
		}
		pass();
		REQUIRE(t, lags_agree());
		REQUIRE(t, is_within_slice());
	}
	CHECK_EQ(t, life.wrong, 0);
	CHECK(t, here == tasks && (life.picks > 500 || tasks == 1));
}

SELFTEST(model_fair_steady,
	 "nobody is further than a slice from its share, at any time, with any weights")
{
	for (u32 tasks = 1; tasks <= 8; tasks++) {
		steady_life(t, 100 + tasks, tasks, true);
		steady_life(t, 110 + tasks, tasks, false);
	}
	steady_life(t, 121, 20, true);
	steady_life(t, 122, 20, false);
	steady_life(t, 123, WORLD_TASKS, true);
}

static void change_weight(u32 number)
{
	bool queued = world_is_queued(&world, number);
	u32 weight = fair_weight((i32)random_below(&life.seed, 40) - 20);

	world_schedule(&world);
	if (queued)
		leave(number);
	world_weight(&world, number, weight);
	if (queued)
		come(number);
}

/* Its rest of the request is the others', as if time had passed. */
static void yield_running(void)
{
	u32 number = world_running(&world);
	long double rest;

	world_schedule(&world);
	if (number == WORLD_TASKS || number != world_running(&world) || world.rq.fair.count == 1)
		return;
	settle();
	rest = world.tasks[number].fair.slice - world.tasks[number].fair.used;
	world_yield(&world);
	share(rest, WORLD_TASKS);
	ideal[number].lag -= rest;
	life.moves++;
}

static void another(u32 number)
{
	if (world_is_queued(&world, number))
		leave(number);
	world_task(&world, number, fair_weight((i32)random_below(&life.seed, 40) - 20), life.slice);
	ideal[number].lag = 0;
	ideal[number].service = 0;
	come(number);
	life.wrong += !is_eligible(number); /* who is owed nothing, owes nothing */
}

/* Sleeps of the running one are the most; `anybody`: others are stopped, too. */
static void change(bool anybody)
{
	u32 number = random_below(&life.seed, life.tasks), running = world_running(&world);
	u32 what = random_below(&life.seed, 16);

	if (!world_is_queued(&world, number))
		come(number);
	else if (what < 8 && running != WORLD_TASKS && world_is_queued(&world, running))
		leave(running);
	else if (what == 9)
		yield_running();
	else if (anybody && what == 10)
		leave(number);
	else if (anybody && what == 11)
		change_weight(number);
	else if (anybody && what == 12 && number != running)
		another(number);
}

static void lively_life(struct selftest *t, u64 seed, u32 tasks, bool anybody)
{
	begin(seed, tasks, 200 + seed % 7 * 500);
	for (u32 step = 0; step < 4000; step++) {
		if (random_below(&life.seed, 4))
			in_between();
		change(anybody);
		if (random_below(&life.seed, 4))
			pass();
		REQUIRE(t, world.rq.charged != world.now || lags_agree());
	}
	CHECK_EQ(t, life.wrong, 0);
	CHECK(t, life.picks > 500 && life.worst < 3);
}

/*
 * A lag that somebody brings or takes along is the others' loss or gain, so here a slice is not the limit; the
 * reference says what is right, and three slices are more than ever was seen.
 */
SELFTEST(model_fair_lively,
	 "tasks sleep, wake, yield, end, stop, and change weights: lags are as they should be")
{
	static const u32 sizes[] = { 2, 3, 5, 10, 20, WORLD_TASKS };

	for (u32 i = 0; i < ARRAY_SIZE(sizes); i++) {
		lively_life(t, 200 + i, sizes[i], false);
		lively_life(t, 300 + i, sizes[i], true);
	}
}
