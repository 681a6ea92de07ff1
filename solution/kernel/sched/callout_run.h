/*
 * callout_run.h - running what is due: a part of the timer interrupt, of which every instruction counts.
 */
#ifndef MAZU_KERNEL_SCHED_CALLOUT_RUN_H
#define MAZU_KERNEL_SCHED_CALLOUT_RUN_H

#include <mazu/callout.h>
#include <mazu/time.h>

/* The first of the queue is due: takes it out, and calls it with the lock dropped. */
static inline void callout_run_one(struct callout_queue *queue, struct rb_node *first, u64 now)
{
	struct callout *callout = container_of(first, struct callout, node);
	u64 late = now - first->key;

	rb_remove_first(&queue->tree);
	if (likely(late <= queue->bins_ticks[0]))
		queue->statistics.bins[0]++;
	else
		callout_count_late(queue, late);
	WRITE_ONCE(queue->running, callout);
	spin_unlock_irqs_off(&queue->lock);
	callout->run(callout);
	spin_lock_irqs_off(&queue->lock);
	WRITE_ONCE(queue->running, NULL);
}

static inline struct rb_node *callout_due(const struct callout_queue *queue, u64 now)
{
	struct rb_node *first = rb_first(&queue->tree);

	return first && !rb_before(now, first->key) ? first : NULL;
}

/* False: nothing was due at `now`, when the interrupt began. What a batch leaves keeps the interrupt pending, and comes with the next one. */
static inline bool callout_run(struct callout_queue *queue, u64 now)
{
	struct rb_node *first = callout_due(queue, now);

	if (!first)
		return false;
	spin_lock_irqs_off(&queue->lock);
	do {
		callout_run_one(queue, first, now);
		first = callout_due(queue, now);
	} while (unlikely(first) && time_ticks() - now < CALLOUT_BATCH_TICKS);
	spin_unlock_irqs_off(&queue->lock);
	return true;
}

#endif
