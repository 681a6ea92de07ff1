/*
 * The fair class: weights, whose turn it is in examples worked by hand, and what is kept of who comes and goes.
 */
#include "fair_world.h"

#include <mazu/selftest.h>

#define MS 10000 /* ticks */
#define SLICE (3 * MS)
#define ONE(ticks) ((i64)(ticks) << FAIR_VIRTUAL_SHIFT)

static struct fair_world world;

/* `count` tasks of nice 0, with slices of 3 ms; none of them wants the hart. */
static void begin(u32 count)
{
	world_init(&world, 123456789);
	for (u32 i = 0; i < count; i++)
		world_task(&world, i, 1024, SLICE);
}

static void wake_all(u32 count)
{
	for (u32 i = 0; i < count; i++)
		world_wake(&world, i);
}

/* Within what roundings may cost: a tick. */
static bool is_about(i64 a, i64 b)
{
	return a - b <= ONE(1) && b - a <= ONE(1);
}

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
	world_init(&world, 0);
	world.quantum = MS;
	world_task(&world, 0, 2, 2 * MS);
	world_task(&world, 1, 2, MS);
	world_wake(&world, 0);
	CHECK_STR_EQ(t, world_picture(&world, MS, 1), STR("A"));
	world_wake(&world, 1);
	CHECK_EQ(t, world.tasks[1].fair.vruntime, ONE(MS) / 2); /* V: half a quantum */
	CHECK_EQ(t, world.tasks[0].fair.node.key, ONE(MS));	/* both should be done at 1 */
	CHECK_EQ(t, world.tasks[1].fair.node.key, ONE(MS));
	sched_want_locked(&world.rq);
	CHECK_STR_EQ(t, world_picture(&world, MS, 12), STR("BABABABABABA"));
}

SELFTEST(fair_turns, "equal weights take turns in the order in which they came")
{
	begin(3);
	wake_all(3);
	CHECK_STR_EQ(t, world_picture(&world, MS, 18), STR("AAABBBCCCAAABBBCCC"));
}

SELFTEST(fair_two_to_one, "twice the weight: twice the time, and never more than a slice at once")
{
	begin(2);
	world_task(&world, 0, 2048, SLICE);
	wake_all(2);
	CHECK_STR_EQ(t, world_picture(&world, MS, 18), STR("AAABBBAAAAAABBBAAA"));
}

/* The example of lab 3, and its first part by hand: docs of the lab. */
SELFTEST(fair_lab, "nice 0, -3 and -5, coming at 0, 1 and 2 ms: the schedule of the lab's page")
{
	begin(3);
	world_task(&world, 1, fair_weight(-3), SLICE);
	world_task(&world, 2, fair_weight(-5), SLICE);
	world_wake(&world, 0);
	CHECK_STR_EQ(t, world_picture(&world, MS, 1), STR("A"));
	world_wake(&world, 1);
	CHECK_STR_EQ(t, world_picture(&world, MS, 1), STR("B"));
	world_wake(&world, 2);
	CHECK_STR_EQ(t, world_picture(&world, MS, 28), STR("CCCBBAACCCBBBCCCAAACCCBBBCCC"));
}

SELFTEST(fair_alone,
	 "alone it has no end; with a second one its request ends a slice after it began")
{
	begin(2);
	world_wake(&world, 0);
	world_run(&world, world.now + 100 * SLICE + MS);
	CHECK_EQ(t, world.rq.expires, UINT64_MAX);
	CHECK_EQ(t, world_lag(&world, 0), 0);
	world_wake(&world, 1); /* was charged only now: nobody owes for the time before */
	CHECK(t, !world.rq.best);
	CHECK(t, is_about(world_lag(&world, 1), 0));
	world_schedule(&world);
	CHECK(t, world.rq.expires - world.now <= SLICE);
	CHECK_STR_EQ(t, world_picture(&world, MS, 9), STR("BBBAAABBB"));
}

/* ---- Coming and going ---- */

SELFTEST(fair_sleep_keeps_lag,
	 "who sleeps keeps its lag; leaving and coming at once changes nothing")
{
	i64 owed;

	begin(3);
	world_task(&world, 2, 3000, SLICE);
	wake_all(3);
	world_run(&world, world.now + MS); /* the heavy one has the earliest deadline */
	CHECK_EQ(t, world_running(&world), 2);
	owed = world_lag(&world, 1);
	CHECK(t, is_about(owed, ONE(MS) * 1024 / 5048));
	CHECK(t, is_about(world_lag(&world, 2), ONE(MS) * 3000 / 5048 - ONE(MS)));
	world_sleep(&world, 1);
	CHECK(t, is_about(world.tasks[1].fair.lag, owed));
	CHECK(t, is_about(world_lag(&world, 0) + world_lag(&world, 2), 0));
	world_wake(&world, 1);
	CHECK(t, is_about(world_lag(&world, 1), owed));
	CHECK(t, is_about(world_lag(&world, 0), owed));
	world_sleep(&world, 2);
	CHECK(t, is_about(world.tasks[2].fair.lag, -2 * owed));
	world_run(&world, world.now + MS);
	world_wake(&world, 2);
	CHECK(t, is_about(world_lag(&world, 2), -2 * owed));
}

SELFTEST(fair_lag_is_bounded, "what is owed of more than one slice is forgotten, either way")
{
	begin(2);
	wake_all(2);
	world.late = 10 * SLICE; /* A runs for 11 slices */
	world_run(&world, world.now + 11 * SLICE);
	CHECK(t, is_about(world_lag(&world, 0), -ONE(11 * SLICE) / 2));
	world_sleep(&world, 1);
	CHECK_EQ(t, world.tasks[1].fair.lag, ONE(SLICE));
	world_wake(&world, 1);
	CHECK(t, is_about(world_lag(&world, 1), ONE(SLICE)));
	world_run(&world, world.now + 1);
	CHECK_EQ(t, world_running(&world), 1);
	world_run(&world, world.now + 10 * SLICE);
	world_sleep(&world, 1);
	CHECK_EQ(t, world.tasks[1].fair.lag, -ONE(SLICE));
}

SELFTEST(fair_weight_changes,
	 "another weight: the same service is owed, and shares are new from then on")
{
	i64 owed;
	u64 before;

	begin(2);
	wake_all(2);
	world_run(&world, world.now + 2 * MS);
	owed = world_lag(&world, 1);
	CHECK(t, is_about(owed, ONE(MS)));
	world_weight(&world, 1, 4096);
	CHECK(t, is_about(world_lag(&world, 1), owed));
	CHECK(t, is_about(world_lag(&world, 0), -owed));
	world_weight(&world, 0, 512); /* the running one */
	CHECK(t, is_about(world_lag(&world, 0), -owed));
	CHECK(t, world.rq.fair.current == &world.tasks[0] && !world.rq.best);
	before = world.service[0];
	world_run(&world, world.now + 90 * SLICE);
	CHECK(t, world.service[0] - before >= 9 * SLICE && world.service[0] - before <= 11 * SLICE);
}

SELFTEST(fair_preempts, "who wakes takes the hart if it is eligible and its deadline is earlier")
{
	begin(3);
	world_wake(&world, 0);
	world_run(&world, world.now + MS);
	world_wake(&world, 1); /* lag 0, deadline 3 ms ahead; A's is 2 ms ahead */
	CHECK(t, !fair_class.preempts(&world.rq, &world.tasks[1], &world.tasks[0]));
	world_schedule(&world);
	CHECK_EQ(t, world_running(&world), 0);
	world_task(&world, 2, 4096, SLICE); /* deadline 0.75 ms ahead */
	world_wake(&world, 2);
	CHECK(t, fair_class.preempts(&world.rq, &world.tasks[2], &world.tasks[0]));
	CHECK(t, world.rq.best == &world.tasks[2]);
	world_run(&world, world.now + 1);
	world_sleep(&world, 2);
	world_schedule(&world);
	world.tasks[2].fair.lag = -ONE(MS); /* it is ahead of its share */
	world_wake(&world, 2);
	CHECK(t, !fair_class.preempts(&world.rq, &world.tasks[2], world.rq.current));
	CHECK(t, world.rq.best == world.rq.current);
}

SELFTEST(fair_woken_in_between, "a wake-up in the middle of a turn sees the time up to now")
{
	begin(3);
	wake_all(2);
	world_schedule(&world);
	world.now += 2 * MS; /* nobody was charged for this yet */
	world_wake(&world, 2);
	CHECK(t, is_about(world_lag(&world, 0), -ONE(MS)));
	CHECK(t, is_about(world_lag(&world, 1), ONE(MS)));
	CHECK(t, is_about(world_lag(&world, 2), 0));
	world_schedule(&world); /* the core's charge: not a second time */
	CHECK(t, is_about(world_lag(&world, 0), -ONE(MS)));
	CHECK_EQ(t, world.tasks[0].fair.used, 2 * MS);
}

SELFTEST(fair_yields, "who yields gives up its request, and the others are before it")
{
	begin(3);
	wake_all(3);
	world_run(&world, world.now + MS);
	world_yield(&world);
	CHECK_STR_EQ(t, world_picture(&world, MS, 7), STR("BBBCCCA"));
	CHECK(t, is_about(world_lag(&world, 0) + world_lag(&world, 1) + world_lag(&world, 2), 0));
	begin(1);
	wake_all(1);
	world_run(&world, world.now + MS);
	world_yield(&world); /* to whom? */
	world_schedule(&world);
	CHECK_EQ(t, world.tasks[0].fair.used, MS);
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

	world_init(&world, 0);
	world.rq.fair.zero = UINT64_MAX - (1UL << 24); /* virtual time wraps */
	for (u32 i = 0; i < 7; i++) {
		world_task(&world, i, fair_weight(-20 + (i32)i * 6), 1000);
		weights += world.tasks[i].fair.weight;
	}
	wake_all(7);
	world_run(&world, world.now + ticks);
	for (u32 i = 0; i < 7; i++) {
		u64 ideal = ticks * world.tasks[i].fair.weight / weights;

		CHECK(t, world.service[i] <= ideal + 1002 && world.service[i] + 1002 >= ideal);
	}
}

SELFTEST(fair_pick_none, "of nobody the pick is nobody")
{
	begin(1);
	CHECK(t, !fair_pick(&world.rq.fair));
	world_wake(&world, 0);
	CHECK(t, fair_pick(&world.rq.fair) == &world.tasks[0]);
	world_schedule(&world);
	CHECK(t, fair_pick(&world.rq.fair) == &world.tasks[0]);
	world_sleep(&world, 0);
	CHECK(t, !fair_pick(&world.rq.fair));
}
