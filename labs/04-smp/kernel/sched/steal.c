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
	/*
	 * Whether hart `hart` may take the task from the queue: it is neither the running one
	 * (rq->current) nor the one that is about to run (rq->best), nothing ties it to its
	 * hart (task_is_movable), and its affinity allows the other one (task_may_run_on).
	 */
	LAB_TODO(4, 5);
}

static struct task *pick_fixed(const struct runqueue *rq, u32 hart, u32 *looks)
{
	/*
	 * The first task that may go, the most urgent priority first and in the order of its
	 * list, as rt_pick would go through them: bit CONFIG_SCHED_NPRIO - 1 - p of
	 * rq->rt.ready is set when rq->rt.lists[p] has somebody. Every task that may not go
	 * costs one of *looks; at 0 return NULL.
	 */
	LAB_TODO(4, 5);
}

static struct task *pick_fair(const struct runqueue *rq, u32 hart, u32 *looks)
{
	/*
	 * The same for fair tasks, in the order of the tree (rb_first, rb_next): the earliest
	 * deadline first. container_of(node, struct task, fair.node) is the task. NULL when
	 * nobody may go, or there are no looks left.
	 */
	LAB_TODO(4, 5);
}

struct task *steal_pick(struct runqueue *rq, u32 hart)
{
	u32 looks = STEAL_LOOKS;
	struct task *task = pick_fixed(rq, hart, &looks);

	spin_assert_held(&rq->lock);
	return task ? task : pick_fair(rq, hart, &looks);
}
/* mazu: lab 4 interface cf112f18f094 */
