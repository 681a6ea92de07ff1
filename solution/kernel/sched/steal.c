/*
 * What an idle hart may take from another.
 *
 * The most urgent first: fixed priorities from the top, then fair tasks in the order of their deadlines, as their own
 * hart would. Not the one that runs, nor the one that is about to; not one that may not run on the thief's hart;
 * and not one that something ties to its hart: a reservation was admitted there, a domain's budget is that
 * hart's time, a mode is one hart's mode.
 *
 * Looks at no more than STEAL_LOOKS tasks: the victim's lock is held meanwhile, and its interrupts wait.
 */
#include "runqueue.h"

#define STEAL_LOOKS 16

static bool may_go(const struct runqueue *rq, const struct task *task, u32 hart)
{
	return task != rq->current && task != rq->best && task_is_movable(task) &&
	       task_may_run_on(task, hart);
}

static struct task *pick_fixed(const struct runqueue *rq, u32 hart, u32 *looks)
{
	for (u64 ready = rq->rt.ready; ready; ready &= ready - 1) {
		u32 priority = CONFIG_SCHED_NPRIO - 1 - bit_lowest(ready);

		list_for_each(at, &rq->rt.lists[priority])
		{
			struct task *task = container_of(at, struct task, rt.link);

			if (may_go(rq, task, hart))
				return task;
			if (--*looks == 0)
				return NULL;
		}
	}
	return NULL;
}

static struct task *pick_fair(const struct runqueue *rq, u32 hart, u32 *looks)
{
	struct rb_node *node = rb_first(&rq->fair.tree);

	for (; node && *looks; node = rb_next(node), --*looks) {
		struct task *task = container_of(node, struct task, fair.node);

		if (may_go(rq, task, hart))
			return task;
	}
	return NULL;
}

struct task *steal_pick(struct runqueue *rq, u32 hart)
{
	u32 looks = STEAL_LOOKS;
	struct task *task = pick_fixed(rq, hart, &looks);

	spin_assert_held(&rq->lock);
	return task ? task : pick_fair(rq, hart, &looks);
}
