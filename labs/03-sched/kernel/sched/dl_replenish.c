/*
 * When a budget is whole again, and for which deadline: the rules of the constant-bandwidth server.
 *
 * A budget is `left` ticks until the moment `until`. Two things may renew it.
 *
 * It was used up, and `until` has come (dl_replenish). The next period follows the last one, however
 * late somebody noticed: deadlines that began at "now" would drift away from the jobs. What was
 * overdrawn, a timer being late, is taken off the new budget; what was saved is lost.
 *
 * The task wakes up (dl_wake). If `until` has passed, a new period begins now. If not, the task may
 * have slept for so long that what it has left is more than its share of the time that remains: used
 * now it would delay the others beyond what they were promised. Then too a new period begins now.
 * Otherwise it goes on with what it has. Compared are left / (until - now) and runtime / period, by
 * multiplying: nothing is rounded, and what is exactly the share is still in order.
 *
 * That rule needs deadline == period. With a shorter deadline nothing that is left is in proportion, and
 * a whole budget for a deadline sooner than a period after the last would be one budget too many.
 * So there a budget is renewed only when `until` has passed, for a deadline at least a period after
 * the last, and one that is kept gets the deadline that a job of this moment has. Then in any
 * stretch of time there are at most as many whole budgets, from beginning to deadline, as the
 * demand bound function counts, which is what admission counts (dl_admit.c). (Linux keeps the deadline and
 * cuts the budget instead, which is sound for its test by density, and not for demand.)
 *
 * `until` 0 is a budget that was never used. Both are called while the task is in no queue.
 *
 * Source: Abeni, Buttazzo 1998 (RTSS), section 3; the hard variant, throttled until the deadline:
 * Documentation/scheduler/sched-deadline.rst of Linux; shorter deadlines: the problem is shown by
 * Casini, Abeni, Biondi, Cucinotta, Buttazzo 2017 (RTNS), "Constant Bandwidth Servers with
 * Constrained Deadlines".
 */
#include "runqueue.h"

static void begin(struct budget *budget, u64 deadline)
{
	budget->left = (i64)budget->runtime;
	budget->until = deadline;
}

void dl_replenish(struct budget *budget, u64 now)
{
	/*
	 * The budget was used up, and its deadline has come. What is left (mostly 0 or less: it
	 * may be overdrawn) grows by a whole runtime, but never beyond one. The deadline moves
	 * on by a period. Should that be passed already, at `now` (rb_before: moments wrap),
	 * begin anew: a whole runtime, and the relative deadline from now.
	 */
	LAB_TODO(3, 6);
}

/* For deadline < period. */
static void wake_constrained(struct budget *budget, u64 now)
{
	u64 of_job = now + budget->deadline, next = budget->until + budget->period;

	if (rb_before(now, budget->until))
		budget->until = rb_before(budget->until, of_job) ? of_job : budget->until;
	else if (budget->until && rb_before(of_job, next))
		begin(budget, next);
	else
		begin(budget, of_job);
}

/* What is left is more than the share of what remains of the period. Both numbers are positive. */
static bool is_too_much(const struct budget *budget, u64 remains)
{
	return budget->left > 0 && (unsigned __int128)(u64)budget->left * budget->period >
					   (unsigned __int128)remains * budget->runtime;
}

void dl_wake(struct budget *budget, u64 now)
{
	/*
	 * The task wakes up at `now`, in no queue. For deadline < period wake_constrained() is
	 * written for you. Else: when `until` has passed (or is now), begin() anew, a relative
	 * deadline from now. Also when what is left is more than the task's share of the time
	 * that remains, left / (until - now) > runtime / period: it slept, and using that now
	 * would disturb the others (is_too_much). Otherwise it goes on with what it has.
	 */
	LAB_TODO(3, 6);
}
/* mazu: lab 3 interface 1218c6d36d4a */
