/*
 * What must be true of a fair queue between any two operations: for debug builds, after each switch.
 *
 * The tree is in order, each node's summary is that of its children and its own, and the sums are
 * what adding up all tasks gives. A check looks at a bounded number of tasks; of more only the first ones.
 */
#include <mazu/panic.h>

#include "runqueue.h"

#define CHECK_MAX 64

struct fair_sums {
	i64 weighted;
	u64 weight;
	u32 count;
};

static void check_task(const struct fair_queue *fair, const struct task *task,
		       struct fair_sums *sums)
{
	const struct fair_task *self = &task->fair;

	if (task->class != &fair_class || task->state != TASK_RUNNABLE || task->held)
		panic("sched: task %u is wrong in the fair queue", task->id);
	if (self->used >= self->slice)
		panic("sched: the request of task %u is over", task->id);
	sums->weighted += (i64)(self->vruntime - fair->zero) * (i64)self->weight;
	sums->weight += self->weight;
	sums->count++;
}

static void check_node(const struct fair_queue *fair, struct rb_node *node)
{
	struct task *task = container_of(node, struct task, fair.node);

	if (fair->tree.update(node))
		panic("sched: the fair tree's summary is wrong at task %u", task->id);
	if (task == fair->current)
		panic("sched: task %u runs and is in the fair tree", task->id);
}

void fair_check(const struct runqueue *rq)
{
	const struct fair_queue *fair = &rq->fair;
	struct fair_sums sums = { 0 };
	struct rb_node *node = rb_first(&fair->tree);
	u64 before = node ? node->key : 0;

	if (fair->current)
		check_task(fair, fair->current, &sums);
	for (; node && sums.count < CHECK_MAX; node = rb_next(node)) {
		if (rb_before(node->key, before))
			panic("sched: the fair tree is not in order");
		before = node->key;
		check_node(fair, node);
		check_task(fair, container_of(node, struct task, fair.node), &sums);
	}
	if (!node && (sums.count != fair->count || sums.weight != fair->weight ||
		      sums.weighted != fair->weighted))
		panic("sched: the sums of the fair queue are wrong");
}
