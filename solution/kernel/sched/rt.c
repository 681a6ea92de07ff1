/*
 * Fixed priorities: SCHED_FIFO and SCHED_RR.
 *
 * A task is in the list of its priority as long as it is queued, also while it runs: so being
 * preempted and coming back costs nothing, and the bitmap says exactly which lists are not empty.
 *
 * Source: IEEE Std 1003.1-2017, section 2.8.4.
 */
#include <mazu/panic.h>

#include "runqueue.h"

void rt_queue_init(struct rt_queue *rt)
{
	rt->ready = 0;
	for (u32 i = 0; i < CONFIG_SCHED_NPRIO; i++)
		list_init(&rt->lists[i]);
}

static u64 priority_bit(u32 priority)
{
	return 1UL << (CONFIG_SCHED_NPRIO - 1 - priority);
}

void rt_set_priority(struct rt_queue *rt, struct task *task, u32 priority)
{
	task->rt.priority = priority;
	task->rt.list = &rt->lists[priority];
	task->rt.bit = priority_bit(priority);
}

bool rt_is_alone(const struct rt_queue *rt, const struct task *task)
{
	(void)rt;
	return task->rt.list->next == task->rt.list->prev;
}

void rt_move_back(struct rt_queue *rt, struct task *task)
{
	(void)rt;
	list_remove(&task->rt.link);
	list_push_back(task->rt.list, &task->rt.link);
}

/* A task that waited, or is new, comes last, with a whole quantum. */
static void rt_enqueue(struct runqueue *rq, struct task *task, u64 now)
{
	(void)now;
	task->rt.quantum_left = task->rt.quantum;
	list_push_back(task->rt.list, &task->rt.link);
	rq->rt.ready |= task->rt.bit;
}

static void rt_dequeue(struct runqueue *rq, struct task *task, u64 now)
{
	(void)now;
	list_remove(&task->rt.link);
	if (list_is_empty(task->rt.list))
		rq->rt.ready &= ~task->rt.bit;
}

/* Where nobody was more urgent than the running task, nobody is more urgent than the next of its list. */
static void rt_yield(struct runqueue *rq, struct task *task, u64 now)
{
	(void)now;
	rt_move_back(&rq->rt, task);
	task->rt.quantum_left = task->rt.quantum;
	if (rq->best == task)
		rq->best = container_of(task->rt.list->next, struct task, rt.link);
}

static bool rt_preempts(const struct runqueue *rq, const struct task *task,
			const struct task *current)
{
	(void)rq, (void)task, (void)current;
	return false; /* of equals, the first that came */
}

static void rr_charge(struct runqueue *rq, struct task *task, u64 ticks, u64 now)
{
	(void)now;
	rt_quantum(rq, task, ticks);
}

static u64 rr_expires(struct runqueue *rq, const struct task *task, u64 now)
{
	(void)rq;
	return now + task->rt.quantum_left;
}

/* The bitmap says which lists are not empty, and each task is in the list of its priority. */
static void rt_check(const struct runqueue *rq)
{
	u32 budget = 64; /* tasks looked at, so that a check is bounded */

	for (u32 p = 0; p < CONFIG_SCHED_NPRIO; p++) {
		const struct list *list = &rq->rt.lists[p];

		if (list_is_empty(list) == !!(rq->rt.ready & priority_bit(p)))
			panic("sched: the bitmap is wrong about priority %u", p);
		for (struct list *at = list->next; at != list && budget; at = at->next, budget--) {
			struct task *task = container_of(at, struct task, rt.link);

			if (task->rt.priority != p || task->state != TASK_RUNNABLE || task->held)
				panic("sched: task %u is wrong in the list of priority %u",
				      task->id, p);
		}
	}
}

const struct sched_class rt_fifo_class = {
	.name = STR("fifo"),
	.rank = RANK_RT,
	.enqueue = rt_enqueue,
	.dequeue = rt_dequeue,
	.yield = rt_yield,
	.preempts = rt_preempts,
	.check = rt_check,
};

const struct sched_class rt_rr_class = {
	.name = STR("rr"),
	.rank = RANK_RT,
	.enqueue = rt_enqueue,
	.dequeue = rt_dequeue,
	.charge = rr_charge,
	.expires = rr_expires,
	.yield = rt_yield,
	.preempts = rt_preempts,
	.check = rt_check,
};
