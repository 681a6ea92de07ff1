/*
 * Mixed criticality: when what matters most needs more than was thought, the rest makes room.
 *
 * In mode LO all tasks run, each within its LO budget. A HI task that has used up its LO budget gets the
 * rest of its HI budget for this job; the hart is in mode HI from then on, and LO tasks are held. When
 * no HI task wants the hart any more the mode is LO again, and LO tasks go on where they were. A HI task
 * that has used up its HI budget too is held like anybody else (budget.c), and so is a LO task that
 * has used up its own. Each job of a HI task begins with the LO budget, in both modes: only a job
 * that needs more makes it HI.
 *
 * Tasks without a criticality take no part. Works for every policy that has budgets.
 *
 * As with domains (domain.c) a callout holds or releases one task at a time and is due again at once, until it
 * finds none. The mode itself changes at once.
 *
 * All with the lock of the run queue held. Without CONFIG_MIXED_CRIT nobody calls anything here: runqueue.h
 * decides who does.
 *
 * Source: Baruah, Burns, Davis 2011 (RTSS), "Response-Time Analysis for Mixed Criticality Systems": AMC; the
 * return to LO at an idle instant of HI work: Burns, Davis, "Mixed Criticality Systems - A Review".
 */
#include <mazu/time.h>

#include "runqueue.h"

/* Brings a LO task to where it should be; false: all are. Looks at CONFIG_MIXED_CRIT_LO_TASKS at most. */
static bool move_lo_task(struct runqueue *rq, u64 now)
{
	u32 hold = rq->mode.now == CRIT_HI ? HOLD_MODE : 0;

	list_for_each(at, &rq->mode.lo_tasks)
	{
		struct task *task = container_of(at, struct task, mode_link);

		if ((task->held & HOLD_MODE) == hold)
			continue;
		if (hold)
			sched_hold_locked(rq, task, HOLD_MODE, now);
		else
			sched_release_locked(rq, task, HOLD_MODE, now);
		return true;
	}
	return false;
}

/* Timer interrupt. */
static void rest(struct callout *callout)
{
	struct runqueue *rq = container_of(callout, struct runqueue, mode.rest);

	spin_lock_irqs_off(&rq->lock);
	sched_charge_locked(rq, time_ticks()); /* it may be a LO task that runs */
	if (move_lo_task(rq, callout->node.key))
		callout_arm(callout, callout->node.key);
	spin_unlock_irqs_off(&rq->lock);
}

static void change(struct runqueue *rq, enum sched_criticality mode, u32 cause, u64 now)
{
	rq->mode.now = mode;
	rq->mode.changes++;
	trace(now, TRACE_MODE, cause, mode == CRIT_HI);
	callout_arm(&rq->mode.rest, now);
}

void mode_start(struct mode *mode)
{
	*mode = (struct mode){ .now = CRIT_LO };
	list_init(&mode->lo_tasks);
	callout_init(&mode->rest, rest);
}

/* ---- HI tasks ---- */

bool mode_grant(struct runqueue *rq, struct task *task, u64 now)
{
	struct budget *budget = &task->budget;
	u64 more = budget->runtime_hi - budget->runtime;

	if (!more)
		return false;
	budget->runtime = budget->runtime_hi;
	budget->left += (i64)more;
	if (rq->mode.now == CRIT_LO)
		change(rq, CRIT_HI, task->id, now);
	return budget->left > 0;
}

/* A budget of which nothing is used is that of a new job. */
void mode_hi_queued(struct runqueue *rq, struct task *task)
{
	struct budget *budget = &task->budget;

	rq->mode.hi_ready++;
	if (budget->left != (i64)budget->runtime)
		return;
	budget->runtime = budget->runtime_lo;
	budget->left = (i64)budget->runtime_lo;
}

void mode_hi_dequeued(struct runqueue *rq, u64 now)
{
	if (--rq->mode.hi_ready == 0 && rq->mode.now == CRIT_HI)
		change(rq, CRIT_LO, 0, now);
}

/* ---- LO tasks ---- */

void mode_lo_joins(struct runqueue *rq, struct task *task, u64 now)
{
	rq->mode.lo_count++;
	list_push_back(&rq->mode.lo_tasks, &task->mode_link);
	if (rq->mode.now == CRIT_HI)
		sched_hold_locked(rq, task, HOLD_MODE, now);
}

void mode_lo_leaves(struct runqueue *rq, struct task *task, u64 now)
{
	rq->mode.lo_count--;
	list_remove(&task->mode_link);
	sched_release_locked(rq, task, HOLD_MODE, now);
}
