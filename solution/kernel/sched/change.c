/*
 * Changing a task: its parameters, its harts, its beginning and its end.
 *
 * Check, admit, commit: the first two may refuse and change nothing, the last cannot fail. To admit is to find a hart:
 * the task's own where that will do, else the first of those that it may run on that has room for its reservation. A task that
 * is queued leaves its queue with its old parameters and enters with the new, in one critical section, so nobody sees
 * it in between; and if another hart was found it leaves for that in the same.
 *
 * All changes are made under admission_lock. So that its hart remains the one that was looked at, the task is tied to it from
 * the look to the commit: nobody steals it. Before that it must have arrived, if it was moving. The wait for that is
 * short, as a move waits for nothing but an interrupt; but the lock is not held in it: it may be the task that wants it.
 *
 * A test of admission lets others in (admission.c). What they did may make the look void, and then all begins anew;
 * RACES_MAX times, after which it lets nobody in.
 */
#include <mazu/smp.h>
#include <mazu/time.h>

#include "runqueue.h"

#define RACES_MAX 4

/* ---- Admit ---- */

/* What ties a task to its hart but its affinity, whatever is done. */
static bool is_fixed(const struct task *task, const struct sched_params *params)
{
	return task->domain || task->params.criticality || params->criticality;
}

/* A hart for the task with these parameters. */
static enum error find_locked(const struct task *task, const struct sched_params *params, u64 harts,
			      bool open, u32 *hart)
{
	u64 own = hart_bit(task->rq->hart);

	if (task->state != TASK_NEW && is_fixed(task, params))
		harts &= own;
	if (!harts)
		return ERR_BUSY;
	if (params->policy == SCHED_DEADLINE)
		return admission_find_locked(task, params, harts, open, hart);
	if (task->state != TASK_NEW && harts & own)
		*hart = task->rq->hart;
	else
		*hart = IS_ENABLED(CONFIG_SMP) ? sched_place(task, harts)->hart : 0;
	return OK;
}

/* If there is one the task has its reservation there. */
static enum error admit_locked(struct task *task, const struct sched_params *params, u64 harts,
			       bool open, u32 *hart)
{
	enum error err = find_locked(task, params, harts & harts_online(), open, hart);

	if (!err && task->state == TASK_DEAD)
		err = ERR_NOENT;
	if (!err && !mode_has_room(runqueue_of(*hart), task, params->criticality))
		err = ERR_NOSPC;
	if (!err)
		admission_commit_locked(task, params, *hart);
	return err;
}

/* ---- Change ---- */

/* False: it is on its way. */
static bool task_tie(struct task *task)
{
	bool irqs;
	struct runqueue *rq = task_lock_irqsave(task, &irqs);
	bool is_there = !(task->held & HOLD_MOVE);

	task->ties += is_there;
	spin_unlock_irqrestore(&rq->lock, irqs);
	return is_there;
}

/* Takes admission_lock; the task is tied to its hart. */
static void change_begin(struct task *task)
{
	spin_lock(&admission_lock);
	while (!task_tie(task)) {
		spin_unlock(&admission_lock);
		spin_relax();
		spin_lock(&admission_lock);
	}
}

/* While it changes, the task is held: so it leaves its queue as what it was, and enters as what it is. */
static void apply_locked(struct runqueue *rq, struct task *task, const struct sched_params *params,
			 u64 now)
{
	sched_charge_locked(rq, now);
	sched_hold_locked(rq, task, HOLD_CHANGE, now);
	mode_leave_locked(rq, task, now);
	params_commit_locked(task, params);
	mode_join_locked(rq, task, now);
	sched_release_locked(rq, task, HOLD_CHANGE, now);
}

/* NULL, 0: as they are. The tie ends. */
static enum error change_locked(struct task *task, const struct sched_params *params, u64 harts,
				bool open)
{
	u64 affinity = harts ? harts : task->affinity;
	enum error err;
	struct runqueue *rq, *to;
	u32 hart;
	bool irqs;

	err = admit_locked(task, params ? params : &task->params, affinity, open, &hart);
	rq = task_lock_irqsave(task, &irqs);
	task->ties--;
	if (!err && params)
		apply_locked(rq, task, params, time_ticks());
	if (!err)
		task->affinity = affinity;
	to = err ? rq : runqueue_of(hart);
	if (IS_ENABLED(CONFIG_SMP))
		sched_move_unlock(rq, task, to);
	else
		spin_unlock_irqs_off(&rq->lock);
	spin_irqrestore(irqs);
	return err;
}

static enum error change(struct task *task, const struct sched_params *params, u64 harts)
{
	enum error err;
	u32 races = 0;

	do {
		change_begin(task);
		err = change_locked(task, params, harts, races++ < RACES_MAX);
		spin_unlock(&admission_lock);
	} while (err == ERR_AGAIN);
	return err;
}

enum error sched_set(struct task *task, const struct sched_params *params)
{
	enum error err = sched_params_check(params);

	return err ? err : change(task, params, 0);
}

/* ---- Affinity ---- */

u64 sched_affinity(const struct task *task)
{
	return READ_ONCE(task->affinity);
}

enum error sched_set_affinity(struct task *task, u64 harts)
{
	return harts & harts_online() ? change(task, NULL, harts) : ERR_INVAL;
}

/* ---- The beginning and the end ---- */

/* Its first job is released now, or at the time that was asked for: until then it sleeps. */
static void begin_locked(struct runqueue *rq, struct task *task, u64 now)
{
	u64 first = task->params.first_ns ? time_ticks_at(task->params.first_ns) : now;

	trace(now, TRACE_TASK, task->id, task->params.policy);
	task->jobs.release = first;
	task->jobs.deadline = first + task->budget.deadline;
	if (!rb_before(now, first)) {
		sched_wake_locked(rq, task, now);
		return;
	}
	task->wakes_at = first;
	task->state = TASK_BLOCKED;
	callout_arm(&task->sleep, first);
}

/* It belongs to the hart that was found; its domain's, if it has one. */
static enum error enter_locked(struct runqueue *rq, struct task *task,
			       const struct sched_params *params, struct sched_domain *domain)
{
	u64 now = time_ticks();
	enum error err = domain ? domain_join_locked(domain, task, now) : OK;

	if (err)
		return err;
	params_commit_locked(task, params);
	mode_join_locked(rq, task, now);
	begin_locked(rq, task, now);
	return OK;
}

static enum error start_locked(struct task *task, const struct sched_params *params,
			       struct sched_domain *domain, bool open)
{
	u64 harts = domain ? hart_bit(domain_queue(domain)->hart) : UINT64_MAX;
	struct runqueue *rq;
	enum error err;
	bool irqs;
	u32 hart;

	err = admit_locked(task, params, task->affinity & harts, open, &hart);
	if (err)
		return err;
	rq = task_lock_irqsave(task, &irqs);
	if (IS_ENABLED(CONFIG_SMP))
		rq = task_move_relock(rq, task, runqueue_of(hart));
	err = enter_locked(rq, task, params, domain);
	spin_unlock_irqrestore(&rq->lock, irqs);
	if (err)
		admission_end_locked(task);
	return err;
}

enum error sched_start(struct task *task, const struct sched_params *params,
		       struct sched_domain *domain)
{
	enum error err;
	u32 races = 0;

	if (domain && !task_may_run_on(task, domain_queue(domain)->hart))
		return ERR_INVAL;
	task->urgency = params_urgency(params);
	do {
		spin_lock(&admission_lock);
		err = start_locked(task, params, domain, races++ < RACES_MAX);
		spin_unlock(&admission_lock);
	} while (err == ERR_AGAIN);
	return err;
}

void sched_leave_locked(struct runqueue *rq, struct task *task, u64 now)
{
	sched_charge_locked(rq, now);
	sched_hold_locked(rq, task, HOLD_CHANGE, now);
	mode_leave_locked(rq, task, now);
	domain_leave_locked(task, now);
	callout_cancel(&task->budget.refill);
	callout_cancel(&task->sleep);  /* one that was killed before its first release */
	task->held &= ~(u32)HOLD_MOVE; /* it was told to go, and had not gone yet */
	task->special &= ~(u32)SPECIAL_MOVE;
	task->state = TASK_DEAD;
}
