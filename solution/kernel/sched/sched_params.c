/*
 * Parameters of a task: whether they make sense, whether there is room for them, and then all at once.
 *
 * Check, admit, commit: the first two may refuse and change nothing, the last cannot fail. A task that
 * is queued leaves its queue with its old parameters and enters with the new, in one critical section, so
 * nobody sees it in between.
 */
#include <mazu/panic.h>
#include <mazu/time.h>

#include "runqueue.h"

/* ---- Check ---- */

static enum error check_budget(const struct sched_params *params)
{
	u64 deadline = params->deadline_ns ? params->deadline_ns : params->period_ns;

	if (params->period_ns > SCHED_PERIOD_MAX_NS || deadline > params->period_ns ||
	    params->runtime_ns > deadline)
		return ERR_INVAL;
	if (params->runtime_ns &&
	    (params->runtime_ns < SCHED_RUNTIME_MIN_NS || params->period_ns < SCHED_PERIOD_MIN_NS))
		return ERR_INVAL;
	return params_runtime_max(params) > deadline ? ERR_INVAL : OK;
}

static enum error check_criticality(const struct sched_params *params)
{
	if (!params->criticality)
		return params->runtime_hi_ns ? ERR_INVAL : OK;
	if (!IS_ENABLED(CONFIG_MIXED_CRIT))
		return ERR_INVAL;
	if (params->criticality > CRIT_HI || !params->runtime_ns || !params->period_ns)
		return ERR_INVAL;
	return params->runtime_hi_ns && params->runtime_hi_ns < params->runtime_ns ? ERR_INVAL : OK;
}

static enum error check_quantum(const struct sched_params *params)
{
	bool is_short = params->quantum_ns && params->quantum_ns < SCHED_QUANTUM_MIN_NS;

	return params->policy == SCHED_RR && is_short ? ERR_INVAL : OK;
}

static enum error check_policy(const struct sched_params *params)
{
	switch (params->policy) {
	case SCHED_OTHER: return params->nice < -20 || params->nice > 19 ? ERR_RANGE : OK;
	case SCHED_FIFO:
	case SCHED_RR:
		return params->priority >= CONFIG_SCHED_NPRIO ? ERR_RANGE : check_quantum(params);
	case SCHED_DEADLINE: return params->runtime_ns ? OK : ERR_INVAL;
	}
	return ERR_INVAL;
}

enum error sched_params_check(const struct sched_params *params)
{
	enum error err = check_policy(params);

	if (!err)
		err = check_criticality(params);
	if (!err && params->policy == SCHED_OTHER && (params->period_ns || params->runtime_ns))
		err = ERR_INVAL;
	if (!err && (params->period_ns || params->runtime_ns || params->deadline_ns))
		err = check_budget(params);
	return err;
}

struct str sched_policy_name(enum sched_policy policy)
{
	switch (policy) {
	case SCHED_OTHER: return STR("other");
	case SCHED_FIFO: return STR("fifo");
	case SCHED_RR: return STR("rr");
	case SCHED_DEADLINE: return STR("deadline");
	}
	return STR("?");
}

/* ---- Commit ---- */

u64 params_runtime_max(const struct sched_params *params)
{
	if (!IS_ENABLED(CONFIG_MIXED_CRIT) || params->criticality != CRIT_HI)
		return params->runtime_ns;
	if (params->runtime_hi_ns)
		return params->runtime_hi_ns;
	return params->runtime_ns + params->runtime_ns * CONFIG_MIXED_CRIT_HI_PCT / 100;
}

static const struct sched_class *class_of(enum sched_policy policy)
{
	static const struct sched_class *const classes[] = {
		[SCHED_OTHER] = &fair_class,
		[SCHED_FIFO] = &rt_fifo_class,
		[SCHED_RR] = &rt_rr_class,
		[SCHED_DEADLINE] = &dl_class,
	};

	return classes[policy];
}

/* What was granted in nanoseconds is never more in ticks. */
static u64 ticks_within(u64 ns)
{
	return ns ? time_ticks_for(ns + 1) - 1 : 0;
}

static u64 ticks_beyond(u64 ns)
{
	return ns ? time_ticks_for(ns) : 0;
}

/* The budget of this period is what is left of the old one; the new one counts from the next. */
static void commit_budget(struct task *task, const struct sched_params *params)
{
	struct budget *budget = &task->budget;
	u64 deadline = params->deadline_ns ? params->deadline_ns : params->period_ns;

	budget->runtime_lo = ticks_within(params->runtime_ns);
	budget->runtime_hi = ticks_within(params_runtime_max(params));
	budget->runtime = budget->runtime_lo;
	budget->deadline = ticks_beyond(deadline);
	budget->period = ticks_beyond(params->period_ns);
	budget->left = MIN(budget->left, (i64)budget->runtime);
	if (!budget->runtime && task->held & HOLD_BUDGET) {
		callout_cancel(&budget->refill);
		task->held &= ~(u32)HOLD_BUDGET;
	}
}

static void commit(struct task *task, const struct sched_params *params)
{
	u32 priority; /* other policies have none: there may be anything */

	task->params = *params;
	task->class = class_of(params->policy);
	priority = task->class->rank == RANK_RT ? params->priority : 0;
	task->urgency = URGENCY(task->class->rank, priority);
	rt_set_priority(&task->rq->rt, task, priority);
	task->rt.quantum = params->quantum_ns ? time_ticks_for(params->quantum_ns)
					      : task->rq->quantum;
	task->fair.weight = fair_weight(params->nice);
	task->fair.slice = task->rq->slice;
	commit_budget(task, params);
	task->special &= ~(u32)SPECIAL_METERED;
	if (task->class->charge || task->budget.runtime || task->domain)
		task->special |= SPECIAL_METERED;
}

/* While it changes, the task is held: so it leaves its queue as what it was, and enters as what it is. */
static void apply_locked(struct runqueue *rq, struct task *task, const struct sched_params *params,
			 u64 now)
{
	sched_charge_locked(rq, now);
	sched_hold_locked(rq, task, HOLD_CHANGE, now);
	mode_leave_locked(rq, task, now);
	commit(task, params);
	mode_join_locked(rq, task, now);
	sched_release_locked(rq, task, HOLD_CHANGE, now);
}

/* ---- Admit ---- */

/*
 * Whether there is room for the task with these parameters; if so it has its reservation. The test lets others in, so
 * it is first.
 */
static enum error admit_locked(struct task *task, const struct sched_params *params)
{
	enum error err = admission_test_locked(task, params);

	if (!err && task->state == TASK_DEAD)
		err = ERR_NOENT;
	if (!err && !mode_has_room(task->rq, task, params->criticality))
		err = ERR_NOSPC;
	if (!err)
		admission_commit_locked(task, params);
	return err;
}

enum error sched_set(struct task *task, const struct sched_params *params)
{
	enum error err = sched_params_check(params);
	bool irqs;

	if (err)
		return err;
	spin_lock(&admission_lock);
	err = admit_locked(task, params);
	if (!err) {
		irqs = spin_lock_irqsave(&task->rq->lock);
		apply_locked(task->rq, task, params, time_ticks());
		spin_unlock_irqrestore(&task->rq->lock, irqs);
	}
	spin_unlock(&admission_lock);
	return err;
}

void sched_get(const struct task *task, struct sched_params *params)
{
	bool irqs = spin_lock_irqsave(&task->rq->lock);

	*params = task->params;
	spin_unlock_irqrestore(&task->rq->lock, irqs);
}

/* ---- The first parameters, and the last ---- */

/* The two that were there before there was a scheduler. */
void sched_adopt(struct task *idle, struct task *running)
{
	struct sched_params lowest = { .policy = SCHED_FIFO };

	idle->class = &idle_class;
	idle->state = TASK_RUNNABLE;
	commit(running, &lowest);
	running->state = TASK_RUNNABLE;
	running->class->enqueue(running->rq, running, time_ticks());
}

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
	task->state = TASK_BLOCKED;
	callout_arm(&task->sleep, first);
}

static enum error start_locked(struct task *task, const struct sched_params *params,
			       struct sched_domain *domain)
{
	struct runqueue *rq = task->rq;
	enum error err = admit_locked(task, params);
	u64 now = time_ticks();
	bool irqs;

	if (err)
		return err;
	irqs = spin_lock_irqsave(&rq->lock);
	if (domain)
		err = domain_join_locked(domain, task, now);
	if (!err) {
		commit(task, params);
		mode_join_locked(rq, task, now);
		begin_locked(rq, task, now);
	}
	spin_unlock_irqrestore(&rq->lock, irqs);
	return err;
}

enum error sched_start(struct task *task, const struct sched_params *params,
		       struct sched_domain *domain)
{
	enum error err;

	spin_lock(&admission_lock);
	err = start_locked(task, params, domain);
	if (err)
		admission_end_locked(task);
	spin_unlock(&admission_lock);
	return err;
}

void sched_leave_locked(struct runqueue *rq, struct task *task, u64 now)
{
	sched_charge_locked(rq, now);
	sched_hold_locked(rq, task, HOLD_CHANGE, now);
	mode_leave_locked(rq, task, now);
	domain_leave_locked(task, now);
	callout_cancel(&task->budget.refill);
	callout_cancel(&task->sleep); /* one that was killed before its first release */
	task->state = TASK_DEAD;
}
