/*
 * Which hart a task goes to when it wakes up, and moving it there.
 *
 * The choice is a guess: it looks at other harts without their locks, and what it sees may be over when the task
 * gets there. It only has to be good most of the time; that no hart idles beside one with tasks to spare is the
 * affair of steal.c.
 *
 * In this order: the hart where the task was last, whose caches know it, if it would run there at once; a hart with
 * nothing to do; the hart that runs what is least urgent, if the task is more urgent than that; and else the
 * last hart again.
 */
#include "runqueue.h"

void task_move_locked(struct task *task, struct runqueue *to)
{
	spin_assert_held(&task->rq->lock);
	rt_set_priority(&to->rt, task, task->rt.priority);
	/* pairs with task_lock_irqs_off(), task_lock_moved() */
	atomic_store_release(&task->rq, to);
}

struct runqueue *task_lock_moved(const struct task *task, struct runqueue *rq)
{
	do {
		spin_unlock_irqs_off(&rq->lock);
		rq = READ_ONCE(task->rq);
		spin_lock_irqs_off(&rq->lock);
	} while (atomic_load_acquire(&task->rq) != rq); /* pairs with task_move_locked() */
	return rq;
}

struct runqueue *task_move_relock(struct runqueue *rq, struct task *task, struct runqueue *to)
{
	if (to == rq)
		return rq;
	task_move_locked(task, to);
	spin_unlock_irqs_off(&rq->lock);
	return task_lock_irqs_off(task);
}

struct runqueue *sched_place(const struct task *task, u64 harts)
{
	struct runqueue *last = READ_ONCE(task->rq), *least = last;
	u64 allowed = harts & harts_online();
	u32 lowest = allowed & hart_bit(last->hart) ? READ_ONCE(last->urgency) : UINT32_MAX;

	if (lowest < task->urgency)
		return last;
	for_each_hart(hart, allowed)
	{
		struct runqueue *rq = runqueue_of((u32)hart);
		u32 urgency = READ_ONCE(rq->urgency);

		if (urgency < lowest) {
			lowest = urgency;
			least = rq;
		}
	}
	return least;
}
