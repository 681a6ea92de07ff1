/*
 * That no hart has much to do while others have little.
 *
 * Two ways. A hart that has nothing to do takes a task from whoever has most (sched_steal), before it sleeps. And a
 * hart with more than one task looks, every BALANCE_MS, whether another has fewer, and gives it one: by the averages of
 * what both had, so that a crowd that comes and goes in a moment moves nobody. Harts with one task or none have
 * no timer for this.
 *
 * The average is exponential: each look moves it an eighth of the way, so it follows a change within some 50 ms. A
 * difference of less than one task and a half is left: giving one away would only turn it round.
 *
 * Costs are bounded by the number of harts, and by STEAL_LOOKS (steal.c).
 */
#include <mazu/time.h>

#include "switch.h"

#define BALANCE_MS 5UL

static void arm(struct runqueue *rq)
{
	callout_arm(&rq->balance, time_ticks() + time_ticks_for(BALANCE_MS * NS_PER_MS));
}

/* One with less than two does not average. */
static u32 load_of(const struct runqueue *rq)
{
	u32 queued = READ_ONCE(rq->queued);

	return queued < 2 ? queued * BALANCE_ONE : READ_ONCE(rq->load);
}

/* NULL: nobody has so much less. */
static struct runqueue *receiver(const struct runqueue *rq)
{
	u64 others = harts_online() & ~hart_bit(rq->hart);
	u32 loads[CONFIG_CPU_MAX], to;

	for_each_hart(hart, others) loads[hart] = load_of(runqueue_of((u32)hart));
	to = balance_receiver(loads, others, load_of(rq));
	return to == BALANCE_NOBODY ? NULL : runqueue_of(to);
}

/* It may be on another hart: that of whoever made the second task ready. */
static void balance(struct callout *callout)
{
	struct runqueue *rq = container_of(callout, struct runqueue, balance), *to;
	struct task *task = NULL;

	spin_lock_irqs_off(&rq->lock);
	WRITE_ONCE(rq->load, balance_average(rq->load, rq->queued));
	if (rq->queued > 1) {
		arm(rq);
		to = receiver(rq);
		task = to ? steal_pick(rq, to->hart) : NULL;
	}
	if (task) {
		to->pushed++;
		sched_move_unlock(rq, task, to);
	} else {
		spin_unlock_irqs_off(&rq->lock);
	}
}

void balance_init(struct runqueue *rq)
{
	callout_init(&rq->balance, balance);
}

/* The first average is what there is. */
void balance_begin_locked(struct runqueue *rq)
{
	if (callout_is_armed(&rq->balance))
		return;
	WRITE_ONCE(rq->load, rq->queued * BALANCE_ONE);
	arm(rq);
}

/* ---- Nothing to do ---- */

static struct runqueue *victim(void)
{
	struct runqueue *found = NULL;
	u32 most = 1;

	for_each_hart(hart, harts_other())
	{
		struct runqueue *rq = runqueue_of((u32)hart);
		u32 queued = READ_ONCE(rq->queued);

		if (queued > most) {
			most = queued;
			found = rq;
		}
	}
	return found;
}

bool sched_steal(struct runqueue *rq)
{
	struct runqueue *from = victim();
	struct task *task;
	bool irqs;

	if (!from)
		return false;
	irqs = spin_lock_irqsave(&from->lock);
	task = steal_pick(from, rq->hart);
	if (task) {
		rq->stolen++;
		sched_move_unlock(from, task, rq);
	} else {
		spin_unlock_irqs_off(&from->lock);
	}
	spin_irqrestore(irqs);
	return task;
}
