/*
 * model_fair.c - long random lives of the fair class, beside the ideal hart.
 */
#include "fair_ideal.h"
#include "random.h"

#include <mazu/selftest.h>

/* Time goes on by up to two slices; the running task is charged, whoever it is. */
static void pass(void)
{
	fair_world.late = random_below(&fair_life.seed, 4) ? 0 : random_below(&fair_life.seed, 20);
	world_run(&fair_world, fair_world.now + random_below(&fair_life.seed, 2 * fair_life.slice));
}

/* What happens next happens in the middle of a turn, of which nobody was told. */
static void in_between(void)
{
	u64 left;

	world_schedule(&fair_world);
	left = MIN(fair_world.rq.expires - fair_world.now, (u64)fair_life.slice);
	fair_world.now += random_below(&fair_life.seed, (u32)left);
}

/* The largest difference that theorem 1 allows: a slice, what the timer was late, and a tick for rounding. */
static bool is_within_slice(void)
{
	long double most = fair_life.slice + 21;

	for (u32 i = 0; i < fair_life.tasks; i++)
		if (world_is_queued(&fair_world, i) &&
		    (fair_ideal[i].lag > most || -fair_ideal[i].lag > most))
			return false;
	return true;
}

/* All come, one after the other, and nobody goes: nobody brings a lag, so the theorem holds at each moment. */
static void steady_life(struct selftest *t, u64 seed, u32 tasks, bool same_slice)
{
	u32 here = 0;

	ideal_begin(seed, tasks, 200 + seed % 5 * 1000);
	for (u32 i = 0; i < tasks && !same_slice; i++)
		fair_world.tasks[i].fair.slice =
			100 + random_below(&fair_life.seed, fair_life.slice - 99);
	for (u32 step = 0; step < 3000; step++) {
		if (here < tasks && random_below(&fair_life.seed, 8) == 0) {
			in_between();
			ideal_come(here);
			REQUIRE(t, ideal_is_eligible(here++));
		}
		pass();
		REQUIRE(t, ideal_agrees());
		REQUIRE(t, is_within_slice());
	}
	CHECK_EQ(t, fair_life.wrong, 0);
	CHECK(t, here == tasks && (fair_life.picks > 500 || tasks == 1));
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
	bool queued = world_is_queued(&fair_world, number);
	u32 weight = ideal_random_weight();

	world_schedule(&fair_world);
	if (queued)
		ideal_leave(number);
	world_weight(&fair_world, number, weight);
	if (queued)
		ideal_come(number);
}

/* Its rest of the request is the others', as if time had passed. */
static void yield_running(void)
{
	u32 number = world_running(&fair_world);
	long double rest;

	world_schedule(&fair_world);
	if (number == WORLD_TASKS || number != world_running(&fair_world) ||
	    fair_world.rq.fair.count == 1)
		return;
	ideal_settle();
	rest = fair_world.tasks[number].fair.slice - fair_world.tasks[number].fair.used;
	world_yield(&fair_world);
	ideal_share(rest, WORLD_TASKS);
	fair_ideal[number].lag -= rest;
	fair_life.moves++;
}

static void another(u32 number)
{
	if (world_is_queued(&fair_world, number))
		ideal_leave(number);
	world_task(&fair_world, number, ideal_random_weight(), fair_life.slice);
	fair_ideal[number].lag = 0;
	fair_ideal[number].service = 0;
	ideal_come(number);
	fair_life.wrong += !ideal_is_eligible(number); /* who is owed nothing, owes nothing */
}

/* Sleeps of the running one are the most; `anybody`: others are stopped, too. */
static void change(bool anybody)
{
	u32 number = random_below(&fair_life.seed, fair_life.tasks),
	    running = world_running(&fair_world);
	u32 what = random_below(&fair_life.seed, 16);

	if (!world_is_queued(&fair_world, number))
		ideal_come(number);
	else if (what < 8 && running != WORLD_TASKS && world_is_queued(&fair_world, running))
		ideal_leave(running);
	else if (what == 9)
		yield_running();
	else if (anybody && what == 10)
		ideal_leave(number);
	else if (anybody && what == 11)
		change_weight(number);
	else if (anybody && what == 12 && number != running)
		another(number);
}

static void lively_life(struct selftest *t, u64 seed, u32 tasks, bool anybody)
{
	ideal_begin(seed, tasks, 200 + seed % 7 * 500);
	for (u32 step = 0; step < 4000; step++) {
		if (random_below(&fair_life.seed, 4))
			in_between();
		change(anybody);
		if (random_below(&fair_life.seed, 4))
			pass();
		if (fair_world.rq.charged == fair_world.now) {
			REQUIRE(t, ideal_agrees());
			ideal_adopt();
		}
	}
	CHECK_EQ(t, fair_life.wrong, 0);
	CHECK(t, fair_life.picks > 500 && fair_life.worst < 3);
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
