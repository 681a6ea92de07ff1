/*
 * SCHED_DEADLINE: the order of deadlines, and when a budget is renewed.
 *
 * The rules are functions of a budget and a time; the queue is one that no hart belongs to.
 */
#include "../../kernel/sched/runqueue.h"

#include <mazu/mem.h>
#include <mazu/preempt.h>
#include <mazu/selftest.h>

#define TASKS 5

static struct runqueue rq;
static struct pcpu cpu;
static struct task tasks_of_test[TASKS];
#define T(i) (&tasks_of_test[i])

static struct budget budget(u64 runtime, u64 deadline, u64 period, i64 left, u64 until)
{
	return (struct budget){ .runtime = runtime,
				.runtime_lo = runtime,
				.runtime_hi = runtime,
				.deadline = deadline,
				.period = period,
				.left = left,
				.until = until };
}

static bool is(const struct budget *budget, i64 left, u64 until)
{
	return budget->left == left && budget->until == until;
}

/* ---- Replenishing ---- */

static struct budget replenished(i64 left, u64 until, u64 now)
{
	struct budget b = budget(10, 100, 100, left, until);

	dl_replenish(&b, now);
	return b;
}

SELFTEST(dl_replenish_in_time,
	 "a used budget is whole again, for a deadline one period after the last")
{
	struct budget b = replenished(0, 1000, 1000);

	CHECK(t, is(&b, 10, 1100));
}

SELFTEST(dl_replenish_late, "a late timer moves no deadline")
{
	struct budget b = replenished(0, 1000, 1003);

	CHECK(t, is(&b, 10, 1100));
	b = replenished(0, 1000, 1099);
	CHECK(t, is(&b, 10, 1100));
}

SELFTEST(dl_replenish_overdrawn, "what was overdrawn is missing from the next budget")
{
	struct budget b = replenished(-3, 1000, 1000);

	CHECK(t, is(&b, 7, 1100));
	b = replenished(-25, 1000, 1000);
	CHECK(t, is(&b, -15, 1100));
}

SELFTEST(dl_replenish_saves_nothing, "what was left is not added to the next budget")
{
	struct budget b = replenished(4, 1000, 1000);

	CHECK(t, is(&b, 10, 1100));
}

SELFTEST(dl_replenish_far_behind,
	 "whole periods behind, the next one begins now; also a million of them")
{
	struct budget b = replenished(0, 1000, 1100);

	CHECK(t, is(&b, 10, 1200));
	b = replenished(-3, 1000, 1101);
	CHECK(t, is(&b, 10, 1201));
	b = replenished(0, 1000, 100001050);
	CHECK(t, is(&b, 10, 100001150));
}

/* ---- Waking ---- */

static struct budget woken(i64 left, u64 until, u64 now)
{
	struct budget b = budget(10, 100, 100, left, until);

	dl_wake(&b, now);
	return b;
}

SELFTEST(dl_wake_new, "the first budget begins when it is first needed")
{
	struct budget b = woken(0, 0, 5000);

	CHECK(t, is(&b, 10, 5100));
	b = woken(0, 0, 0);
	CHECK(t, is(&b, 10, 100));
}

SELFTEST(dl_wake_passed, "a deadline that is now or past: a whole budget, a deadline from now on")
{
	struct budget b = woken(3, 1000, 1000);

	CHECK(t, is(&b, 10, 1100));
	b = woken(3, 1000, 1001);
	CHECK(t, is(&b, 10, 1101));
	b = woken(3, 1000, 999999);
	CHECK(t, is(&b, 10, 1000099));
}

SELFTEST(dl_wake_keeps, "what is at most its share of the time that remains is kept, to the tick")
{
	struct budget b = woken(3, 1000, 970); /* 3 of 30 is 10 of 100 */

	CHECK(t, is(&b, 3, 1000));
	b = woken(3, 1000, 969);
	CHECK(t, is(&b, 3, 1000));
	b = woken(0, 1000, 999);
	CHECK(t, is(&b, 0, 1000));
	b = woken(-2, 1000, 999);
	CHECK(t, is(&b, -2, 1000));
	b = woken(10, 1000, 900);
	CHECK(t, is(&b, 10, 1000));
}

SELFTEST(dl_wake_renews, "what is more than its share by one tick begins anew")
{
	struct budget b = woken(3, 1000, 971);

	CHECK(t, is(&b, 10, 1071));
	b = woken(4, 1000, 970);
	CHECK(t, is(&b, 10, 1070));
	b = woken(1, 1000, 999);
	CHECK(t, is(&b, 10, 1099));
}

SELFTEST(dl_wake_exact, "shares of hours are compared to the tick")
{
	u64 period = (1UL << 42) - 1, runtime = period - 2, now = 77;
	struct budget b = budget(runtime, period, period, (i64)runtime - 1, now + period - 1);

	/* (r - 1) / (p - 1) < r / p, since r < p */
	dl_wake(&b, now);
	CHECK(t, is(&b, (i64)runtime - 1, now + period - 1));
	dl_wake(&b, now + 1);
	CHECK(t, is(&b, (i64)runtime, now + 1 + period));

	/* products that are nothing in 64 bits: a quarter of the period is half of what is left, but for a tick */
	b = budget(1UL << 41, 1UL << 42, 1UL << 42, 1L << 40, now + (1UL << 41) - 1);
	dl_wake(&b, now);
	CHECK(t, is(&b, 1L << 41, now + (1UL << 42)));
	b = budget(1UL << 41, 1UL << 42, 1UL << 42, 1L << 40, now + (1UL << 41));
	dl_wake(&b, now);
	CHECK(t, is(&b, 1L << 40, now + (1UL << 41)));
}

/* ---- Waking, with a deadline before the period ---- */

static struct budget woken_short(i64 left, u64 until, u64 now)
{
	struct budget b = budget(10, 30, 100, left, until);

	dl_wake(&b, now);
	return b;
}

SELFTEST(dl_wake_short_periodic,
	 "deadline before period: jobs a period apart each get their own deadline")
{
	struct budget b = woken_short(0, 0, 1000);

	CHECK(t, is(&b, 10, 1030));
	b = woken_short(0, 0, 50); /* nothing was before */
	CHECK(t, is(&b, 10, 80));
	b = woken_short(2, 1030, 1100);
	CHECK(t, is(&b, 10, 1130));
	b = woken_short(2, 1030, 5000);
	CHECK(t, is(&b, 10, 5030));
}

SELFTEST(dl_wake_short_early, "deadline before period: whole budgets have deadlines a period apart")
{
	struct budget b = woken_short(2, 1030, 1030);

	CHECK(t, is(&b, 10, 1130));
	b = woken_short(2, 1030, 1099);
	CHECK(t, is(&b, 10, 1130));
	b = woken_short(2, 1030, 1101);
	CHECK(t, is(&b, 10, 1131));
}

SELFTEST(dl_wake_short_kept,
	 "deadline before period: what is left is for a deadline as far as a job's")
{
	struct budget b = woken_short(5, 1030, 1010);

	CHECK(t, is(&b, 5, 1040));
	b = woken_short(10, 1130, 1030); /* refilled, and further than that */
	CHECK(t, is(&b, 10, 1130));
	b = woken_short(5, 1030, 1029);
	CHECK(t, is(&b, 5, 1059));
}

/* ---- The queue ---- */

static void queue_begin(void)
{
	memset(&rq, 0, sizeof(rq));
	memset(tasks_of_test, 0, sizeof(tasks_of_test));
	rq.lock = (struct spinlock)SPINLOCK_INIT(LOCK_SCHED);
	rq.cpu = &cpu;
	dl_queue_init(&rq.dl);
	mode_init(&rq.mode);
	for (u32 i = 0; i < TASKS; i++) {
		T(i)->class = &dl_class;
		T(i)->rq = &rq;
		T(i)->id = i;
		T(i)->state = TASK_RUNNABLE;
	}
}

static void queue_add(u32 i, u64 until)
{
	T(i)->budget = budget(10, 100, 100, 10, until);
	dl_class.enqueue(&rq, T(i), 0);
	dl_class.check(&rq);
}

static bool order_is(const u8 *expected, u32 count)
{
	struct rb_node *at = rb_first(&rq.dl.tree);
	u32 i = 0;

	for (; at && i < count; at = rb_next(at), i++)
		if (container_of(at, struct task, edf) != T(expected[i]))
			return false;
	return !at && i == count;
}
#define ORDER(...) order_is((const u8[]){ __VA_ARGS__ }, sizeof((u8[]){ __VA_ARGS__ }))

SELFTEST(dl_order, "the earliest deadline is first, equal ones in the order in which they came")
{
	queue_begin();
	CHECK(t, dl_pick(&rq.dl) == NULL);
	queue_add(0, 500);
	queue_add(1, 300);
	queue_add(2, 500);
	queue_add(3, 300);
	queue_add(4, 400);
	CHECK(t, ORDER(1, 3, 4, 0, 2));
	CHECK(t, dl_pick(&rq.dl) == T(1));
	dl_class.dequeue(&rq, T(1), 0);
	dl_class.dequeue(&rq, T(0), 0);
	dl_class.check(&rq);
	CHECK(t, ORDER(3, 4, 2));
}

SELFTEST(dl_order_wraps, "a deadline behind the end of all numbers is later")
{
	queue_begin();
	queue_add(0, 5);
	queue_add(1, UINT64_MAX - 5);
	CHECK(t, ORDER(1, 0));
	CHECK(t, dl_class.preempts(&rq, T(1), T(0)));
	CHECK(t, !dl_class.preempts(&rq, T(0), T(1)));
}

SELFTEST(dl_preempts_earlier, "an earlier deadline preempts, an equal or later one does not")
{
	queue_begin();
	queue_add(0, 500);
	queue_add(1, 499);
	queue_add(2, 500);
	CHECK(t, dl_class.preempts(&rq, T(1), T(0)));
	CHECK(t, !dl_class.preempts(&rq, T(0), T(1)));
	CHECK(t, !dl_class.preempts(&rq, T(2), T(0)));
}

SELFTEST(dl_yield_to_equals, "who yields goes behind those of the same deadline, and no further")
{
	queue_begin();
	queue_add(0, 500);
	queue_add(1, 500);
	queue_add(2, 501);
	rq.best = T(0);
	dl_class.yield(&rq, T(0), 0);
	CHECK(t, ORDER(1, 0, 2));
	CHECK(t, rq.best == T(1));
	dl_class.dequeue(&rq, T(1), 0);
	rq.best = T(0);
	dl_class.yield(&rq, T(0), 0);
	CHECK(t, rq.best == T(0));
}

/* ---- Charging ---- */

static void charging(struct selftest *t)
{
	queue_add(0, 500);
	rq.current = rq.best = T(0);
	CHECK_EQ(t, budget_expires(T(0), 400), 410);
	budget_charge(&rq, T(0), 9, 409);
	CHECK_EQ(t, T(0)->held, 0);
	CHECK_EQ(t, budget_expires(T(0), 409), 410);
	budget_charge(&rq, T(0), 1, 410);
	CHECK_EQ(t, T(0)->held, HOLD_BUDGET);
	CHECK(t, dl_pick(&rq.dl) == NULL);
	CHECK(t, callout_is_armed(&T(0)->budget.refill));
	CHECK_EQ(t, T(0)->budget.refill.node.key, 500);
	budget_charge(&rq, T(0), 2, 412); /* until the switch */
	CHECK_EQ(t, T(0)->jobs.overruns, 1);
	CHECK_EQ(t, T(0)->jobs.throttles, 1);
	CHECK(t, is(&T(0)->budget, -2, 500));
	CHECK_EQ(t, budget_expires(T(0), 412), 412);
	callout_cancel(&T(0)->budget.refill);
}

static void with_lock(struct selftest *t, void (*body)(struct selftest *t))
{
	bool irqs;

	queue_begin();
	irqs = spin_lock_irqsave(&rq.lock);
	body(t);
	spin_unlock_irqrestore(&rq.lock, irqs);
}

SELFTEST(dl_budget_used_up,
	 "a budget ends with its last tick, not before: held until the deadline, counted once")
{
	with_lock(t, charging);
}
