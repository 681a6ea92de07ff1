/*
 * The fair class: weights, whose turn it is in examples worked by hand, and that nothing is lost.
 */
#include "fair_world.h"

#include <mazu/selftest.h>

/* ---- Weights ---- */

SELFTEST(fair_weights, "nice 0 weighs 1024; each step is a factor of 5/4, rounded")
{
	CHECK_EQ(t, fair_weight(0), 1024);
	CHECK_EQ(t, fair_weight(-1), 1280);
	CHECK_EQ(t, fair_weight(-2), 1600);
	CHECK_EQ(t, fair_weight(-3), 2000);
	CHECK_EQ(t, fair_weight(-20), 88818); /* 88817.84 */
	CHECK_EQ(t, fair_weight(1), 819);     /* 819.2 */
	CHECK_EQ(t, fair_weight(4), 419);     /* 419.43 */
	CHECK_EQ(t, fair_weight(19), 15);     /* 14.76 */
	for (i32 nice = -20; nice < 19; nice++) {
		i64 four = 4 * (i64)fair_weight(nice), five = 5 * (i64)fair_weight(nice + 1);

		CHECK(t, four - five <= 4 && five - four <= 4);
	}
	CHECK_EQ(t, fair_weight(-1000000), 88818); /* policies that have no nice may have any */
	CHECK_EQ(t, fair_weight(INT_MIN), 88818);
	CHECK_EQ(t, fair_weight(INT_MAX), 15);
}

/* ---- Examples by hand ---- */

SELFTEST(fair_paper,
	 "the example of the paper: requests of 2 and of 1, the second client comes at 1")
{
	world_init(&fair_world, 0);
	fair_world.quantum = WORLD_MS;
	world_task(&fair_world, 0, 2, 2 * WORLD_MS);
	world_task(&fair_world, 1, 2, WORLD_MS);
	world_wake(&fair_world, 0);
	CHECK_STR_EQ(t, world_picture(&fair_world, WORLD_MS, 1), STR("A"));
	world_wake(&fair_world, 1);
	CHECK_EQ(t, fair_world.tasks[1].fair.vruntime,
		 WORLD_TICKS(WORLD_MS) / 2); /* V: half a quantum */
	CHECK_EQ(t, fair_world.tasks[0].fair.node.key,
		 WORLD_TICKS(WORLD_MS)); /* both should be done at 1 */
	CHECK_EQ(t, fair_world.tasks[1].fair.node.key, WORLD_TICKS(WORLD_MS));
	sched_want_locked(&fair_world.rq);
	CHECK_STR_EQ(t, world_picture(&fair_world, WORLD_MS, 12), STR("BABABABABABA"));
}

SELFTEST(fair_turns, "equal weights take turns in the order in which they came")
{
	world_nice_0(3);
	world_wake_all(3);
	CHECK_STR_EQ(t, world_picture(&fair_world, WORLD_MS, 18), STR("AAABBBCCCAAABBBCCC"));
}

SELFTEST(fair_two_to_one, "twice the weight: twice the time, and never more than a slice at once")
{
	world_nice_0(2);
	world_task(&fair_world, 0, 2048, WORLD_SLICE);
	world_wake_all(2);
	CHECK_STR_EQ(t, world_picture(&fair_world, WORLD_MS, 18), STR("AAABBBAAAAAABBBAAA"));
}

/* The example of lab 3, and its first part by hand: docs of the lab. */
SELFTEST(fair_lab, "nice 0, -3 and -5, coming at 0, 1 and 2 ms: the schedule of the lab's page")
{
	world_nice_0(3);
	world_task(&fair_world, 1, fair_weight(-3), WORLD_SLICE);
	world_task(&fair_world, 2, fair_weight(-5), WORLD_SLICE);
	world_wake(&fair_world, 0);
	CHECK_STR_EQ(t, world_picture(&fair_world, WORLD_MS, 1), STR("A"));
	world_wake(&fair_world, 1);
	CHECK_STR_EQ(t, world_picture(&fair_world, WORLD_MS, 1), STR("B"));
	world_wake(&fair_world, 2);
	CHECK_STR_EQ(t, world_picture(&fair_world, WORLD_MS, 28),
		     STR("CCCBBAACCCBBBCCCAAACCCBBBCCC"));
}

SELFTEST(fair_alone,
	 "alone it has no end; with a second one its request ends a slice after it began")
{
	world_nice_0(2);
	world_wake(&fair_world, 0);
	world_run(&fair_world, fair_world.now + 100 * WORLD_SLICE + WORLD_MS);
	CHECK_EQ(t, fair_world.rq.expires, UINT64_MAX);
	CHECK_EQ(t, world_lag(&fair_world, 0), 0);
	world_wake(&fair_world, 1); /* was charged only now: nobody owes for the time before */
	CHECK(t, !fair_world.rq.best);
	CHECK(t, world_lag(&fair_world, 1) >= 0 && world_lag(&fair_world, 1) < WORLD_TICKS(1));
	world_schedule(&fair_world);
	CHECK(t, fair_world.rq.expires - fair_world.now <= WORLD_SLICE);
	CHECK_STR_EQ(t, world_picture(&fair_world, WORLD_MS, 9), STR("BBBAAABBB"));
}

/* ---- Exactness ---- */

SELFTEST(fair_eligible_exactly,
	 "eligible up to the average and not a unit more, for the largest sums too")
{
	struct fair_queue fair = { .zero = 1000, .weight = 3 };

	fair.weighted = 7; /* V is 1002 1/3 */
	CHECK(t, fair_is_eligible(&fair, 1002) && !fair_is_eligible(&fair, 1003));
	fair.weighted = 6;
	CHECK(t, fair_is_eligible(&fair, 1002) && !fair_is_eligible(&fair, 1003));
	fair.weighted = -1; /* 999 2/3 */
	CHECK(t, fair_is_eligible(&fair, 999) && !fair_is_eligible(&fair, 1000));
	fair.weighted = 0;
	CHECK(t, fair_is_eligible(&fair, 1000) && !fair_is_eligible(&fair, 1001));
	fair.weight = 1UL << 34; /* products beyond 64 bits */
	fair.weighted = 1L << 60;
	CHECK(t, fair_is_eligible(&fair, 1000 + (1UL << 26)));
	CHECK(t, !fair_is_eligible(&fair, 1001 + (1UL << 26)));
	CHECK(t, !fair_is_eligible(&fair, 1000 + (1UL << 40)));
	CHECK(t, fair_is_eligible(&fair, 1000 - (1UL << 40)));
	fair.zero = 10; /* and behind the place where virtual time wraps */
	CHECK(t, fair_is_eligible(&fair, UINT64_MAX - 5));
}

/* Weights that do not divide anything: in 4000 turns no time is lost. */
SELFTEST(fair_loses_nothing,
	 "the time of odd weights is theirs to a tick, after thousands of turns")
{
	u64 ticks = 4000UL * 1000, weights = 0;

	world_init(&fair_world, 0);
	fair_world.rq.fair.zero = UINT64_MAX - (1UL << 24); /* virtual time wraps */
	for (u32 i = 0; i < 7; i++) {
		world_task(&fair_world, i, fair_weight(-20 + (i32)i * 6), 1000);
		weights += fair_world.tasks[i].fair.weight;
	}
	world_wake_all(7);
	world_run(&fair_world, fair_world.now + ticks);
	for (u32 i = 0; i < 7; i++) {
		u64 ideal = ticks * fair_world.tasks[i].fair.weight / weights;

		CHECK(t, fair_world.service[i] <= ideal + 1002 &&
				 fair_world.service[i] + 1002 >= ideal);
	}
}

SELFTEST(fair_pick_none, "of nobody the pick is nobody")
{
	world_nice_0(1);
	CHECK(t, !fair_pick(&fair_world.rq.fair));
	world_wake(&fair_world, 0);
	CHECK(t, fair_pick(&fair_world.rq.fair) == &fair_world.tasks[0]);
	world_schedule(&fair_world);
	CHECK(t, fair_pick(&fair_world.rq.fair) == &fair_world.tasks[0]);
	world_sleep(&fair_world, 0);
	CHECK(t, !fair_pick(&fair_world.rq.fair));
}
