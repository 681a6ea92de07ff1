/*
 * Callouts, with a queue and a clock of the test's own: what runs, in which order, and how it is counted.
 *
 * For each test the hart gets an empty queue for a moment, interrupts off. With the real timer:
 * test_callout_timer.c.
 */
#include <arch/cpu.h>
#include <mazu/callout.h>
#include <mazu/hart_timer.h>
#include <mazu/pcpu.h>
#include <mazu/selftest.h>
#include <mazu/time.h>

#include "../../kernel/sched/callout_run.h"

#define COUNT 24
#define NOW 1000000000UL

static struct callout_queue queue;
static struct callout callouts[COUNT];
static u8 ran[4 * COUNT]; /* which, in the order in which they did */
static u32 ran_count;

static void note(struct callout *callout)
{
	if (ran_count < ARRAY_SIZE(ran))
		ran[ran_count++] = (u8)(callout - callouts);
}

static void alone(struct selftest *t, void (*body)(struct selftest *t))
{
	bool irqs = arch_irq_save();
	struct callout_queue *kept = this_cpu()->callouts;

	callout_queue_init(&queue);
	for (u32 i = 0; i < COUNT; i++)
		callout_init(&callouts[i], note);
	ran_count = 0;
	this_cpu()->callouts = &queue;
	body(t);
	this_cpu()->callouts = kept;
	hart_timer_update();
	arch_irq_restore(irqs);
}

/* All that is due, however many interrupts that takes. */
static void run(u64 now)
{
	do
		callout_run(&queue, now);
	while (callout_next(&queue) <= now);
}

/* The order is what `expected` lists, and nothing more. */
static bool ran_is(const u8 *expected, u32 count)
{
	bool same = ran_count == count;

	for (u32 i = 0; i < count && same; i++)
		same = ran[i] == expected[i];
	ran_count = 0;
	return same;
}
#define RAN(...) ran_is((const u8[]){ __VA_ARGS__ }, sizeof((u8[]){ __VA_ARGS__ }))

static void order(struct selftest *t)
{
	callout_arm(&callouts[0], NOW + 30);
	callout_arm(&callouts[1], NOW + 10);
	callout_arm(&callouts[2], NOW + 20);
	callout_arm(&callouts[3], NOW + 10);
	CHECK_EQ(t, callout_next(&queue), NOW + 10);
	run(NOW + 9);
	CHECK_EQ(t, ran_count, 0);
	run(NOW + 10);
	CHECK(t, RAN(1, 3));
	run(NOW + 30);
	CHECK(t, RAN(2, 0));
	CHECK_EQ(t, callout_next(&queue), UINT64_MAX);
}
SELFTEST(callout_order,
	 "callouts run at their time and not before, the earliest first; of one moment "
	 "as they were armed")
{
	alone(t, order);
}

static void moves(struct selftest *t)
{
	callout_arm(&callouts[0], NOW + 10);
	callout_arm(&callouts[1], NOW + 10);
	callout_arm(&callouts[2], NOW + 10);
	callout_arm(&callouts[0], NOW + 10); /* again: behind the others */
	callout_arm(&callouts[1], NOW + 50);
	run(NOW + 10);
	CHECK(t, RAN(2, 0));
	callout_arm(&callouts[1], NOW + 5);
	CHECK_EQ(t, callout_next(&queue), NOW + 5);
	run(NOW + 100);
	CHECK(t, RAN(1));
}
SELFTEST(callout_moves, "arming one that is armed moves it, later and earlier; it runs once")
{
	alone(t, moves);
}

static void cancelled(struct selftest *t)
{
	CHECK(t, !callout_cancel(&callouts[0]));
	callout_arm(&callouts[0], NOW);
	callout_arm(&callouts[1], NOW);
	CHECK(t, callout_is_armed(&callouts[0]));
	CHECK(t, callout_cancel(&callouts[0]));
	CHECK(t, !callout_is_armed(&callouts[0]));
	CHECK(t, !callout_cancel(&callouts[0]));
	CHECK(t, !callout_cancel_sync(&callouts[0]));
	run(NOW);
	CHECK(t, RAN(1));
	CHECK(t, !callout_cancel(&callouts[1]));
	callout_arm(&callouts[1], NOW);
	CHECK(t, callout_cancel_sync(&callouts[1]));
	CHECK_EQ(t, callout_next(&queue), UINT64_MAX);
}
SELFTEST(callout_cancel, "cancelling says whether it was armed, and then it does not run")
{
	alone(t, cancelled);
}

/* ---- From inside ---- */

static bool own_answer;

static void cancel_itself(struct callout *callout)
{
	own_answer = callout_is_armed(callout) || callout_cancel(callout) ||
		     queue.running != callout;
	note(callout);
}

static void arm_again(struct callout *callout)
{
	note(callout);
	if (ran_count < 3)
		callout_arm(callout, callout->node.key + 100);
}

static void cancel_others(struct callout *callout)
{
	note(callout);
	for (u32 i = 0; i < COUNT; i++)
		if (&callouts[i] != callout)
			callout_cancel(&callouts[i]);
}

static void inside(struct selftest *t)
{
	callouts[0].run = cancel_itself;
	callout_arm(&callouts[0], NOW);
	own_answer = true;
	run(NOW);
	CHECK(t, RAN(0) && !own_answer);
	CHECK(t, !queue.running);

	callouts[1].run = arm_again;
	callout_arm(&callouts[1], NOW);
	run(NOW + 99);
	CHECK_EQ(t, ran_count, 1);
	CHECK_EQ(t, callout_next(&queue), NOW + 100);
	run(NOW + 1000); /* is due again at once, twice */
	CHECK(t, RAN(1, 1, 1));

	callouts[4].run = cancel_others;
	for (u32 i = 2; i < 8; i++)
		callout_arm(&callouts[i], NOW);
	run(NOW);
	CHECK(t, RAN(2, 3, 4));
}
SELFTEST(callout_inside, "a callout may cancel itself in vain, arm itself again, and cancel others "
			 "that are due")
{
	alone(t, inside);
}

/* ---- Bounds and figures ---- */

static void batch(struct selftest *t)
{
	for (u32 i = 0; i < COUNT; i++)
		callout_arm(&callouts[i], NOW);
	for (u32 done = 0; done < COUNT; done = ran_count) {
		callout_run(&queue, NOW);
		REQUIRE(t, ran_count > done && ran_count - done < COUNT);
	}
	for (u32 i = 0; i < COUNT; i++)
		CHECK_EQ(t, ran[i], i);
}
SELFTEST(callout_batch, "one interrupt runs a batch and no more; the rest is next, in order")
{
	alone(t, batch);
}

static void never(struct selftest *t)
{
	callout_arm(&callouts[0], UINT64_MAX);
	callout_arm(&callouts[1], (u64)INT64_MAX + 1);
	callout_arm(&callouts[2], 0);
	run(NOW);
	CHECK(t, RAN(2));
	run(INT64_MAX - 1);
	CHECK_EQ(t, ran_count, 0);
	CHECK(t, callout_cancel(&callouts[0]) && callout_cancel(&callouts[1]));
}
SELFTEST(callout_never, "the last moment there is does not come; the first is past")
{
	alone(t, never);
}

static void run_late(u64 late)
{
	callout_arm(&callouts[0], NOW);
	run(NOW + late);
}

static void lateness(struct selftest *t)
{
	struct callout_statistics s;
	u64 upper_ns = 10000, longest = 0;

	for (u32 bin = 0; bin + 1 < CALLOUT_BINS; bin++, upper_ns *= 10) {
		longest = time_ticks_for(upper_ns) + 1;
		run_late(longest - 1);
		run_late(longest);
	}
	run_late(0);
	callout_arm(&callouts[1], NOW);
	callout_cancel(&callouts[1]);
	REQUIRE(t, callout_statistics(this_cpu()->index, &s) == OK);
	CHECK_EQ(t, s.bins[0], 2);
	for (u32 bin = 1; bin + 1 < CALLOUT_BINS; bin++)
		CHECK_EQ(t, s.bins[bin], 2);
	CHECK_EQ(t, s.bins[CALLOUT_BINS - 1], 1);
	CHECK_EQ(t, s.run, 11);
	CHECK_EQ(t, s.late, 7);
	CHECK_EQ(t, s.armed, 12);
	CHECK_EQ(t, s.cancelled, 1);
	CHECK_EQ(t, s.late_max_ticks, longest);
	callout_statistics_reset();
	REQUIRE(t, callout_statistics(this_cpu()->index, &s) == OK);
	CHECK_EQ(t, s.armed + s.run + s.cancelled + s.late + s.late_max_ticks, 0);
	CHECK_EQ(t, callout_statistics(CONFIG_CPU_MAX, &s), ERR_RANGE);
}
SELFTEST(callout_lateness, "lateness is counted in the right one of six bins, at their edges too")
{
	alone(t, lateness);
}
