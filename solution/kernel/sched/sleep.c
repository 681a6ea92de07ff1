/*
 * Waiting: for somebody, for a time, for the next period.
 *
 * Parking has one permit: an unpark that comes early is kept, so "look, then park" loses no wake-up
 * as long as whoever unparks changes first what the other looks at. Every wait ends when the task is killed.
 */
#include <mazu/lockdep.h>
#include <mazu/panic.h>

#include "switch.h"

/* The extras of TRACE_BLOCK. */
enum { PARKED = 1, ASLEEP = 2, PERIOD = 5 };

/* Of TRACE_READY. */
enum { WOKEN = 1 };

/*
 * The moment of this wait has come. On several harts the callout of an earlier one, which ended otherwise, may still be
 * on its way.
 */
static inline bool is_over(const struct task *task)
{
	return !IS_ENABLED(CONFIG_SMP) || time_ticks() >= task->wakes_at;
}

/* The callout of a sleep or of a timed wait. Timer interrupt. */
void sleep_over(struct callout *callout)
{
	struct task *task = container_of(callout, struct task, sleep);
	struct runqueue *rq = task_lock_irqs_off(task);

	if (likely(task->state == TASK_BLOCKED) && likely(is_over(task)))
		sched_wake(rq, task, callout->node.key, WOKEN);
	spin_unlock_irqs_off(&rq->lock);
}

/*
 * Blocks until `when`, or until somebody wakes the task. ERR_TIMEOUT: the moment came first. The lock that is held
 * afterwards is that of the hart on which the task is then.
 */
static enum error wait_until_locked(struct runqueue *rq, struct task *task, u64 when, u32 why)
{
	callout_arm(&task->sleep, when);
	task->wakes_at = when;
	sched_block_locked(rq, why);
	if (likely(!callout_is_armed(&task->sleep)))
		return ERR_TIMEOUT;
	callout_cancel(&task->sleep);
	return OK;
}

static enum error sleep_until_ticks(u64 when, u32 why)
{
	struct task *task = task_current();
	struct runqueue *rq;
	bool irqs;

	lockdep_may_wait();
	rq = rq_lock_own(&irqs);
	if (likely(!task->killed) && likely(rb_before(time_ticks(), when)))
		wait_until_locked(rq, task, when, why);
	rq_unlock_own(irqs);
	return unlikely(task->killed) ? ERR_INTR : OK;
}

enum error task_sleep_until(u64 deadline_ns)
{
	return sleep_until_ticks(time_ticks_at(deadline_ns), ASLEEP);
}

enum error task_sleep(u64 duration_ns)
{
	return sleep_until_ticks(time_ticks() + time_ticks_for(duration_ns), ASLEEP);
}

/* ---- Parking ---- */

static enum error park_locked(struct runqueue *rq, struct task *task, u64 when)
{
	enum error err = OK;

	if (!task->permit && !task->killed) {
		task->parked = true;
		if (when == UINT64_MAX)
			task_wait_locked(rq, task, PARKED);
		else
			err = wait_until_locked(rq, task, when, PARKED);
		task->parked = false;
	}
	if (task->permit)
		err = OK;
	else if (task->killed)
		err = ERR_INTR;
	task->permit = false;
	return err;
}

static enum error park_until_ticks(u64 when)
{
	struct runqueue *rq;
	enum error err;
	bool irqs;

	lockdep_may_wait();
	rq = rq_lock_own(&irqs);
	err = park_locked(rq, task_current(), when);
	rq_unlock_own(irqs);
	return err;
}

enum error task_park(void)
{
	return park_until_ticks(UINT64_MAX);
}

enum error task_park_until(u64 deadline_ns)
{
	return park_until_ticks(time_ticks_at(deadline_ns));
}

void task_unpark(struct task *task)
{
	bool irqs;
	struct runqueue *rq = task_lock_irqsave(task, &irqs);

	task->permit = true;
	if (task->parked && task->state == TASK_BLOCKED)
		rq = sched_wake_placed_locked(rq, task);
	spin_unlock_irqrestore(&rq->lock, irqs);
}

/* ---- Yielding ---- */

/*
 * The usual case: nobody is more urgent than the running task, or it would not run; so the next of its
 * priority is who runs next, and there is nothing to pick.
 */
static inline void yield_plain(struct runqueue *rq, struct task *task)
{
	struct list *list = task->rt.list;
	struct task *next;

	if (list->next == list->prev)
		return;
	list_remove(&task->rt.link);
	list_push_back(list, &task->rt.link);
	next = container_of(list->next, struct task, rt.link);
	if (unlikely(next->special)) {
		rq->best = next;
		schedule_locked(rq);
	} else {
		u64 now = time_ticks();

		sched_charge_time(rq, task, now);
		sched_hand_over(rq, task, next, now);
	}
}

static __attribute__((noinline)) void yield_special(struct runqueue *rq, struct task *task)
{
	if (task->class->yield)
		task->class->yield(rq, task, time_ticks());
	schedule_locked(rq);
}

void task_yield(void)
{
	struct runqueue *rq;
	struct task *task;
	bool irqs;

	ASSERT(arch_irq_enabled() && this_cpu()->preempt == PREEMPT_QUIET);
	rq = rq_lock_own(&irqs);
	task = rq->current;
	if (likely(!task->special))
		yield_plain(rq, task);
	else
		yield_special(rq, task);
	rq_unlock_own(true);
}

/* ---- Periods ---- */

/* The job that ends now, against its deadline. */
static void job_done(struct task *task, u64 now)
{
	struct jobs *jobs = &task->jobs;

	jobs->done++;
	trace(now, TRACE_DEADLINE, task->id, TRACE_DL_DONE);
	if (rb_before(jobs->deadline, now)) {
		jobs->misses++;
		trace(now, TRACE_DEADLINE, task->id, TRACE_DL_MISS);
	}
	jobs->release += task->budget.period;
	jobs->deadline = jobs->release + task->budget.deadline;
}

enum error task_next_period(void)
{
	struct task *task = task_current();
	bool irqs;
	struct runqueue *rq = rq_lock_own(&irqs);
	u64 now = time_ticks();
	enum error err = OK;

	if (!task->budget.period) {
		err = ERR_INVAL;
	} else if (!task->killed) {
		job_done(task, now);
		if (rb_before(now, task->jobs.release))
			wait_until_locked(rq, task, task->jobs.release, PERIOD);
		else
			err = ERR_TIMEOUT;
		trace(time_ticks(), TRACE_DEADLINE, task->id, TRACE_DL_JOB);
	}
	if (task->killed)
		err = ERR_INTR;
	rq_unlock_own(irqs);
	return err;
}
