/*
 * SCHED_DEADLINE: the queue of those who have a deadline, earliest first.
 *
 * The key is the deadline of the task's server (budget.until), not that of its job: a task that wants more
 * than it reserved has its budget refilled for a later deadline, and so falls behind those that
 * keep to theirs. What a task may use, and when it gets a new deadline, is budget.c and
 * dl_replenish.c; whether there is room for it at all is dl_admit.c. A deadline changes only while
 * the task is in no queue.
 *
 * A task is in the tree as long as it is queued, also while it runs. Of equal deadlines the one that
 * came first is first, and nobody preempts an equal.
 *
 * Source: Liu, Layland 1973; Dertouzos 1974 (no other order meets deadlines that this one misses).
 */
#include <mazu/panic.h>

#include "runqueue.h"

void dl_queue_init(struct dl_queue *dl)
{
	dl->tree = (struct rb_tree){ .update = NULL };
}

static void dl_enqueue(struct runqueue *rq, struct task *task, u64 now)
{
	(void)now;
	task->edf.key = task->budget.until;
	rb_insert(&rq->dl.tree, &task->edf);
}

static void dl_dequeue(struct runqueue *rq, struct task *task, u64 now)
{
	(void)now;
	rb_remove(&rq->dl.tree, &task->edf);
}

/* Behind those of the same deadline, if there are any: an earlier one would run already. */
static void dl_yield(struct runqueue *rq, struct task *task, u64 now)
{
	dl_dequeue(rq, task, now);
	dl_enqueue(rq, task, now);
	if (rq->best == task)
		rq->best = dl_pick(&rq->dl);
}

static bool dl_preempts(const struct runqueue *rq, const struct task *task,
			const struct task *current)
{
	(void)rq;
	return rb_before(task->budget.until, current->budget.until);
}

static void check_task(const struct task *task, u64 previous)
{
	if (task->edf.key != task->budget.until || rb_before(task->edf.key, previous))
		panic("sched: task %u is at the wrong place among the deadlines", task->id);
	if (task->class != &dl_class || task->state != TASK_RUNNABLE || task->held)
		panic("sched: task %u does not belong among the deadlines", task->id);
}

/* At most CONFIG_SCHED_DL_TASKS are ever admitted. */
static void dl_check(const struct runqueue *rq)
{
	struct rb_node *at = rb_first(&rq->dl.tree);
	u64 previous = at ? at->key : 0;
	u32 count = 0;

	for (; at; at = rb_next(at)) {
		check_task(container_of(at, struct task, edf), previous);
		previous = at->key;
		if (++count > CONFIG_SCHED_DL_TASKS)
			panic("sched: there are more deadlines than were admitted");
	}
}

const struct sched_class dl_class = {
	.name = STR("deadline"),
	.rank = RANK_DEADLINE,
	.enqueue = dl_enqueue,
	.dequeue = dl_dequeue,
	.yield = dl_yield,
	.preempts = dl_preempts,
	.check = dl_check,
};
