/*
 * callout_run.h - running what is due: a part of the timer interrupt, of which every instruction counts.
 */
#ifndef MAZU_KERNEL_SCHED_CALLOUT_RUN_H
#define MAZU_KERNEL_SCHED_CALLOUT_RUN_H

#include <mazu/atomic.h>
#include <mazu/callout.h>
#include <mazu/time.h>

/* Takes out the first of the queue if it is due, for its function to be called; NULL: it is not. */
static inline struct callout *callout_take(struct callout_queue *queue, u64 now)
{
	struct callout *callout = NULL;
	struct rb_node *first;

	spin_lock_irqs_off(&queue->lock);
	first = rb_first(&queue->tree);
	if (likely(first) && likely(now >= first->key)) { /* nobody has cancelled it just now */
		u64 late = now - first->key;

		callout = container_of(first, struct callout, node);
		rb_remove_first(&queue->tree);
		callout_note_first(queue);
		if (likely(late <= queue->bins_ticks[0]))
			queue->statistics.bins[0]++;
		else
			callout_count_late(queue, late);
		WRITE_ONCE(queue->running, callout);
	}
	spin_unlock_irqs_off(&queue->lock);
	return callout;
}

static inline void callout_run_first(struct callout_queue *queue, u64 now)
{
	struct callout *callout = callout_take(queue, now);

	if (likely(callout))
		callout->run(callout);
	/* pairs with callout_runs_elsewhere() */
	atomic_store_release(&queue->running, (struct callout *)NULL);
}

/* Others that are due as well, until a batch is full. */
void callout_run_more(struct callout_queue *queue, u64 now);

/*
 * False: nothing was due at `now`, when the interrupt began. What a batch leaves keeps the interrupt pending, and
 * comes with the next one.
 */
static inline bool callout_run(struct callout_queue *queue, u64 now)
{
	if (now < callout_next(queue))
		return false;
	callout_run_first(queue, now);
	if (unlikely(now >= callout_next(queue)))
		callout_run_more(queue, now);
	return true;
}

#endif
