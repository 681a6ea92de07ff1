/*
 * Budgets: how much a task may use, and what happens when it wants more.
 *
 * Every tick that the task runs is taken off its budget. Whoever has used it up is held, from the very
 * interrupt on that the hart's timer was set for (budget_expires), alone on the hart or not, until the
 * budget's deadline; then a callout makes it whole and lets the task go (dl_replenish.c). This is the hard
 * constant-bandwidth server: nobody gets more than runtime in a period by wanting it.
 *
 * FIFO and RR tasks may have one, too; then it limits them without promising anything.
 *
 * A HI task that has used up its LO budget goes on with its HI budget (mixed.c). Each new period begins
 * with the LO budget again.
 *
 * All with the lock of the task's run queue; the callout takes it.
 */
#include <mazu/time.h>

#include "runqueue.h"

/*
 * The moment is the one that was asked for, not the one when somebody came to it: the wake rule at the
 * queue's door then sees exactly the budget and the period that belong together. Who overdrew a
 * whole budget waits for another one. Who sleeps gets a budget when it wakes, by that rule: one that
 * lay there unused would only push its next deadline back.
 */
static void refill_locked(struct runqueue *rq, struct task *task, u64 now)
{
	struct budget *budget = &task->budget;

	budget->runtime = budget->runtime_lo;
	if (task->state == TASK_RUNNABLE) {
		dl_replenish(budget, now);
		if (budget->left <= 0) {
			callout_arm(&budget->refill, budget->until);
			return;
		}
		trace(now, TRACE_DEADLINE, task->id, TRACE_DL_REPLENISH);
	}
	sched_release_locked(rq, task, HOLD_BUDGET, now);
}

/* Timer interrupt. One that was released meanwhile, to die, has no claim. */
static void refill(struct callout *callout)
{
	struct task *task = container_of(callout, struct task, budget.refill);
	struct runqueue *rq = task_lock_irqs_off(task);

	if (task->held & HOLD_BUDGET)
		refill_locked(rq, task, callout->node.key);
	spin_unlock_irqs_off(&rq->lock);
}

void budget_init(struct budget *budget)
{
	*budget = (struct budget){ .until = 0 }; /* never used */
	callout_init(&budget->refill, refill);
}

static void throttle(struct runqueue *rq, struct task *task, u64 now)
{
	u64 until = task->budget.until;

	task->jobs.overruns++;
	task->jobs.throttles++;
	trace(now, TRACE_DEADLINE, task->id, TRACE_DL_OVERRUN);
	sched_hold_locked(rq, task, HOLD_BUDGET, now);
	callout_arm(&task->budget.refill, rb_before(until, now) ? now : until);
}

void budget_charge(struct runqueue *rq, struct task *task, u64 ticks, u64 now)
{
	task->budget.left -= (i64)ticks;
	if (likely(task->budget.left > 0) || task->held & HOLD_BUDGET)
		return;
	if (!mode_escalate(rq, task, now))
		throttle(rq, task, now);
}

u64 budget_expires(const struct task *task, u64 now)
{
	return now + (u64)MAX(task->budget.left, (i64)0);
}
