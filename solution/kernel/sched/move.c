/*
 * From hart to hart: moving a task, whatever it does.
 *
 * One that sleeps has nothing on its hart but its queue's name, and one that is ready is taken out of its queue first,
 * held meanwhile (HOLD_MOVE). One that runs cannot be moved by anybody: its registers are in the hart. So it is
 * held, which makes a switch due, and its hart, in that switch, puts it on a stack of tasks at its new hart and
 * interrupts that. The new hart takes it from there. It may come before the old one has switched; but the old one holds
 * its queue's lock until it has, so who has had that lock has waited long enough.
 *
 * From then on until it has settled it is nobody else's to move: HOLD_MOVE says so, and whoever wants to change where it
 * may run waits for its arrival (change.c). One that ends before the switch goes nowhere.
 *
 * Nobody here waits for another hart but for a lock, and nobody holds two queues' locks.
 */
#include <mazu/smp.h>

#include "switch.h"

/* It is `to`'s, held; whoever locks `to` may let it go. */
static void settle(struct runqueue *to, struct task *task)
{
	spin_lock_irqs_off(&to->lock);
	to->moved++;
	sched_release_locked(to, task, HOLD_MOVE, time_ticks());
	spin_unlock_irqs_off(&to->lock);
}

void sched_move_unlock(struct runqueue *rq, struct task *task, struct runqueue *to)
{
	spin_assert_held(&rq->lock);
	if (to == rq) {
		spin_unlock_irqs_off(&rq->lock);
		return;
	}
	sched_charge_locked(rq, time_ticks());
	sched_hold_locked(rq, task, HOLD_MOVE, time_ticks());
	if (task == rq->current) {
		task->goes_to = to;
		task->special |= SPECIAL_MOVE;
		sched_want_locked(rq);
		spin_unlock_irqs_off(&rq->lock);
		return;
	}
	task_move_locked(task, to);
	spin_unlock_irqs_off(&rq->lock);
	settle(to, task);
}

/* Pairs with sched_arrive(): where the task is is written. */
void sched_depart_locked(struct runqueue *rq, struct task *task)
{
	struct runqueue *to = task->goes_to;
	struct task *first = atomic_load_relaxed(&to->arrivals);

	(void)rq;
	task->special &= ~(u32)SPECIAL_MOVE;
	do
		task->arrives_next = first;
	while (!__atomic_compare_exchange_n(&to->arrivals, &first, task, false, __ATOMIC_RELEASE,
					    __ATOMIC_RELAXED));
	ipi_send(to->hart, IPI_ARRIVE);
}

static void arrive(struct runqueue *rq, struct task *task)
{
	struct runqueue *from = task_lock_irqs_off(task);

	task_move_locked(task, rq);
	spin_unlock_irqs_off(&from->lock);
	settle(rq, task);
}

/*
 * Bounded by the tasks that ran on other harts when they were told to move: one each, and few were told since.
 * Pairs with sched_depart_locked().
 */
void sched_arrive(struct runqueue *rq)
{
	struct task *task = atomic_exchange_acquire(&rq->arrivals, NULL);

	while (task) {
		struct task *next = task->arrives_next;

		arrive(rq, task);
		task = next;
	}
}
