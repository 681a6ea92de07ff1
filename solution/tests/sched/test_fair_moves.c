/*
 * The fair class: what is kept of who comes and goes, and who goes before whom.
 */
#include "fair_world.h"

#include <mazu/selftest.h>

/* Within what roundings may cost: a tick. */
static bool is_about(i64 a, i64 b)
{
	return a - b <= WORLD_TICKS(1) && b - a <= WORLD_TICKS(1);
}

/* ---- What is owed ---- */

SELFTEST(fair_sleep_keeps_lag,
	 "who sleeps keeps its lag; leaving and coming at once changes nothing")
{
	i64 owed;

	world_nice_0(3);
	world_task(&fair_world, 2, 3000, WORLD_SLICE);
	world_wake_all(3);
	world_run(&fair_world,
		  fair_world.now + WORLD_MS); /* the heavy one has the earliest deadline */
	CHECK_EQ(t, world_running(&fair_world), 2);
	owed = world_lag(&fair_world, 1);
	CHECK(t, is_about(owed, WORLD_TICKS(WORLD_MS) * 1024 / 5048));
	CHECK(t, is_about(world_lag(&fair_world, 2),
			  WORLD_TICKS(WORLD_MS) * 3000 / 5048 - WORLD_TICKS(WORLD_MS)));
	world_sleep(&fair_world, 1);
	CHECK(t, is_about(fair_world.tasks[1].fair.lag, owed));
	CHECK(t, is_about(world_lag(&fair_world, 0) + world_lag(&fair_world, 2), 0));
	world_wake(&fair_world, 1);
	CHECK(t, is_about(world_lag(&fair_world, 1), owed));
	CHECK(t, is_about(world_lag(&fair_world, 0), owed));
	world_sleep(&fair_world, 2);
	CHECK(t, is_about(fair_world.tasks[2].fair.lag, -2 * owed));
	world_run(&fair_world, fair_world.now + WORLD_MS);
	world_wake(&fair_world, 2);
	CHECK(t, is_about(world_lag(&fair_world, 2), -2 * owed));
}

SELFTEST(fair_lag_is_bounded, "what is owed of more than one slice is forgotten, either way")
{
	world_nice_0(2);
	world_wake_all(2);
	fair_world.late = 10 * WORLD_SLICE; /* A runs for 11 slices */
	world_run(&fair_world, fair_world.now + 11 * WORLD_SLICE);
	CHECK(t, is_about(world_lag(&fair_world, 0), -WORLD_TICKS(11 * WORLD_SLICE) / 2));
	world_sleep(&fair_world, 1);
	CHECK_EQ(t, fair_world.tasks[1].fair.lag, WORLD_TICKS(WORLD_SLICE));
	world_wake(&fair_world, 1);
	CHECK(t, is_about(world_lag(&fair_world, 1), WORLD_TICKS(WORLD_SLICE)));
	world_run(&fair_world, fair_world.now + 1);
	CHECK_EQ(t, world_running(&fair_world), 1);
	world_run(&fair_world, fair_world.now + 10 * WORLD_SLICE);
	world_sleep(&fair_world, 1);
	CHECK_EQ(t, fair_world.tasks[1].fair.lag, -WORLD_TICKS(WORLD_SLICE));
}

SELFTEST(fair_weight_changes,
	 "another weight: the same service is owed, and shares are new from then on")
{
	i64 owed;
	u64 before;

	world_nice_0(2);
	world_wake_all(2);
	world_run(&fair_world, fair_world.now + 2 * WORLD_MS);
	owed = world_lag(&fair_world, 1);
	CHECK(t, is_about(owed, WORLD_TICKS(WORLD_MS)));
	world_weight(&fair_world, 1, 4096);
	CHECK(t, is_about(world_lag(&fair_world, 1), owed));
	CHECK(t, is_about(world_lag(&fair_world, 0), -owed));
	world_weight(&fair_world, 0, 512); /* the running one */
	CHECK(t, is_about(world_lag(&fair_world, 0), -owed));
	CHECK(t, fair_world.rq.fair.current == &fair_world.tasks[0] && !fair_world.rq.best);
	before = fair_world.service[0];
	world_run(&fair_world, fair_world.now + 90 * WORLD_SLICE);
	CHECK(t, fair_world.service[0] - before >= 9 * WORLD_SLICE &&
			 fair_world.service[0] - before <= 11 * WORLD_SLICE);
}

SELFTEST(fair_woken_in_between, "a wake-up in the middle of a turn sees the time up to now")
{
	world_nice_0(3);
	world_wake_all(2);
	world_schedule(&fair_world);
	fair_world.now += 2 * WORLD_MS; /* nobody was charged for this yet */
	world_wake(&fair_world, 2);
	CHECK(t, is_about(world_lag(&fair_world, 0), -WORLD_TICKS(WORLD_MS)));
	CHECK(t, is_about(world_lag(&fair_world, 1), WORLD_TICKS(WORLD_MS)));
	CHECK(t, is_about(world_lag(&fair_world, 2), 0));
	world_schedule(&fair_world); /* the core's charge: not a second time */
	CHECK(t, is_about(world_lag(&fair_world, 0), -WORLD_TICKS(WORLD_MS)));
	CHECK_EQ(t, fair_world.tasks[0].fair.used, 2 * WORLD_MS);
}

/* ---- Who goes first ---- */

SELFTEST(fair_preempts, "who wakes takes the hart if it is eligible and its deadline is earlier")
{
	world_nice_0(3);
	world_wake(&fair_world, 0);
	world_run(&fair_world, fair_world.now + WORLD_MS);
	world_wake(&fair_world, 1); /* lag 0, deadline 3 ms ahead; A's is 2 ms ahead */
	CHECK(t, !fair_class.preempts(&fair_world.rq, &fair_world.tasks[1], &fair_world.tasks[0]));
	world_schedule(&fair_world);
	CHECK_EQ(t, world_running(&fair_world), 0);
	world_task(&fair_world, 2, 4096, WORLD_SLICE); /* deadline 0.75 ms ahead */
	world_wake(&fair_world, 2);
	CHECK(t, fair_class.preempts(&fair_world.rq, &fair_world.tasks[2], &fair_world.tasks[0]));
	CHECK(t, !fair_world.rq.best); /* the pick will look */
	world_schedule(&fair_world);
	CHECK_EQ(t, world_running(&fair_world), 2);
	world_run(&fair_world, fair_world.now + 1);
	world_sleep(&fair_world, 2);
	world_schedule(&fair_world);
	fair_world.tasks[2].fair.lag = -WORLD_TICKS(WORLD_MS); /* it is ahead of its share */
	world_wake(&fair_world, 2);
	CHECK(t, !fair_class.preempts(&fair_world.rq, &fair_world.tasks[2], fair_world.rq.current));
	CHECK(t, fair_world.rq.best == fair_world.rq.current);
}

SELFTEST(fair_preempts_not, "an equal deadline does not take the hart, nor does a later one")
{
	world_nice_0(3);
	world_task(&fair_world, 1, 512, WORLD_SLICE);
	world_wake_all(2);
	world_schedule(&fair_world);
	world_wake(&fair_world,
		   2); /* A has had nothing yet: both should be done at the same time */
	CHECK_EQ(t, fair_world.tasks[2].fair.node.key, fair_world.tasks[0].fair.node.key);
	CHECK(t, fair_world.rq.best == &fair_world.tasks[0]);
	world_nice_0(3);
	world_task(&fair_world, 1, 4096, WORLD_SLICE);
	world_task(&fair_world, 2, 2048, WORLD_SLICE);
	world_wake_all(2);
	CHECK_STR_EQ(t, world_picture(&fair_world, WORLD_MS, 1), STR("B"));
	world_wake(&fair_world, 2); /* before A, but B is in its turn */
	CHECK(t, fair_pick(&fair_world.rq.fair) == &fair_world.tasks[2]);
	CHECK(t, fair_world.rq.best == &fair_world.tasks[1]);
	CHECK_STR_EQ(t, world_picture(&fair_world, WORLD_MS, 5), STR("BBCCC"));
}

SELFTEST(fair_preempts_in_turn, "who became eligible in the middle of this turn, with an earlier "
				"deadline still, goes first")
{
	world_nice_0(3);
	world_task(&fair_world, 1, 4096, WORLD_SLICE);
	world_task(&fair_world, 2, 4096, WORLD_SLICE);
	world_wake_all(2);
	CHECK_STR_EQ(t, world_picture(&fair_world, WORLD_MS, 5), STR("BBBAA"));
	CHECK(t, world_lag(&fair_world, 1) > 0); /* owed again, but this is A's turn */
	world_wake(&fair_world, 2);
	CHECK(t, fair_is_eligible(&fair_world.rq.fair, fair_world.tasks[2].fair.vruntime));
	CHECK(t, fair_world.tasks[2].fair.node.key < fair_world.tasks[0].fair.node.key);
	CHECK_STR_EQ(t, world_picture(&fair_world, WORLD_MS, 7), STR("BBBCCCB"));
}

SELFTEST(fair_yields, "who yields gives up its request, and the others are before it")
{
	world_nice_0(3);
	world_wake_all(3);
	world_run(&fair_world, fair_world.now + WORLD_MS);
	world_yield(&fair_world);
	CHECK_STR_EQ(t, world_picture(&fair_world, WORLD_MS, 7), STR("BBBCCCA"));
	CHECK(t, is_about(world_lag(&fair_world, 0) + world_lag(&fair_world, 1) +
				  world_lag(&fair_world, 2),
			  0));
	world_nice_0(1);
	world_wake_all(1);
	world_run(&fair_world, fair_world.now + WORLD_MS);
	world_yield(&fair_world); /* to whom? */
	world_schedule(&fair_world);
	CHECK_EQ(t, fair_world.tasks[0].fair.used, WORLD_MS);
}
