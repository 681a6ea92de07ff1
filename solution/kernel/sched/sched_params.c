/*
 * Parameters of a task: whether they make sense, and what they mean for its class and its budget.
 *
 * A check may refuse and changes nothing, a commit cannot fail. Whether there is room for them comes in between, and is
 * the affair of change.c, like when.
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

/* Other policies have no priority: there may be anything. */
static u32 priority_of(const struct sched_params *params)
{
	return class_of(params->policy)->rank == RANK_RT ? params->priority : 0;
}

u32 params_urgency(const struct sched_params *params)
{
	return URGENCY(class_of(params->policy)->rank, priority_of(params));
}

void params_commit_locked(struct task *task, const struct sched_params *params)
{
	task->params = *params;
	task->class = class_of(params->policy);
	task->urgency = params_urgency(params);
	rt_set_priority(&task->rq->rt, task, priority_of(params));
	task->rt.quantum = params->quantum_ns ? time_ticks_for(params->quantum_ns)
					      : task->rq->quantum;
	task->fair.weight = fair_weight(params->nice);
	task->fair.slice = task->rq->slice;
	commit_budget(task, params);
	task->special &= ~(u32)SPECIAL_METERED;
	if (task->class->charge || task->budget.runtime || task->domain)
		task->special |= SPECIAL_METERED;
}

void sched_get(const struct task *task, struct sched_params *params)
{
	bool irqs;
	struct runqueue *rq = task_lock_irqsave(task, &irqs);

	*params = task->params;
	spin_unlock_irqrestore(&rq->lock, irqs);
}

/* The one that was there before there was a scheduler. */
void sched_adopt(struct task *running)
{
	struct sched_params lowest = { .policy = SCHED_FIFO };

	params_commit_locked(running, &lowest);
	running->state = TASK_RUNNABLE;
	running->class->enqueue(running->rq, running, time_ticks());
}
