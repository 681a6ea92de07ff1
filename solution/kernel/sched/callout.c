/*
 * Callouts: see callout.h.
 *
 * A queue is a tree by time. Its hart's timer interrupt takes what is due from the front and calls it
 * with the lock dropped, so a callout may arm and cancel whatever it likes, itself included, and
 * other harts wait for no more than a tree operation.
 *
 * The hardware is told only by who arms a new first. Who cancels the first does not: the interrupt
 * that then comes for nothing is cheaper than a write for each timeout that did not happen. While
 * callouts run nobody tells it either; the interrupt does once, at its end.
 *
 * How late a callout ran counts from its moment to the beginning of its interrupt. Within one
 * interrupt those behind it wait for a few hundred instructions more, which the shortest bin swallows.
 *
 * Keys of the tree wrap, moments of callers do not: one beyond half of all numbers is "never".
 */
#include <mazu/callout.h>
#include <mazu/hart_timer.h>
#include <mazu/pcpu.h>
#include <mazu/smp.h>
#include <mazu/time.h>

#include "callout_run.h"

/* A tick counter that ran from the machine's start does not get there. */
#define NEVER ((u64)INT64_MAX)

/* The first bin that does not count as on time. */
#define BIN_LATE 2

void callout_queue_init(struct callout_queue *queue)
{
	u64 upper_ns = NS_PER_MS / 100;

	*queue =
		(struct callout_queue){ .lock = SPINLOCK_INIT(LOCK_CALLOUT), .next = CALLOUT_NONE };
	for (u32 i = 0; i < ARRAY_SIZE(queue->bins_ticks); i++, upper_ns *= 10)
		queue->bins_ticks[i] = time_ticks_for(upper_ns);
}

void callout_init(struct callout *callout, void (*run)(struct callout *callout))
{
	*callout = (struct callout){ .run = run };
}

/* ---- Arming and cancelling ---- */

/* The callout was never armed, or on another hart. */
static __attribute__((noinline)) void callout_come_to(struct callout *callout,
						      struct callout_queue *queue)
{
	callout_cancel(callout);
	WRITE_ONCE(callout->queue, queue);
}

/* This hart's queue, locked. Until then the caller may be moved to another hart. */
static inline struct callout_queue *queue_lock_own(struct callout *callout, bool *irqs)
{
	for (;;) {
		struct callout_queue *queue = this_cpu()->callouts;

		if (unlikely(callout->queue != queue))
			callout_come_to(callout, queue);
		*irqs = spin_lock_irqsave(&queue->lock);
		if (likely(this_cpu()->callouts == queue))
			return queue;
		spin_unlock_irqrestore(&queue->lock, *irqs);
	}
}

void callout_arm(struct callout *callout, u64 when_ticks)
{
	bool irqs;
	struct callout_queue *queue = queue_lock_own(callout, &irqs);

	if (callout_is_armed(callout))
		rb_remove(&queue->tree, &callout->node);
	callout->node.key = MIN(when_ticks, NEVER);
	rb_insert(&queue->tree, &callout->node);
	callout_note_first(queue);
	queue->statistics.armed++;
	if (rb_first(&queue->tree) == &callout->node && !queue->running)
		hart_timer_update();
	spin_unlock_irqrestore(&queue->lock, irqs);
}

/* The queue that the callout was armed in last, locked; it may be armed elsewhere until it is. */
static struct callout_queue *queue_lock_of(const struct callout *callout, bool *irqs)
{
	for (;;) {
		struct callout_queue *queue = READ_ONCE(callout->queue);

		if (!queue)
			return NULL;
		*irqs = spin_lock_irqsave(&queue->lock);
		if (likely(READ_ONCE(callout->queue) == queue))
			return queue;
		spin_unlock_irqrestore(&queue->lock, *irqs);
	}
}

bool callout_cancel(struct callout *callout)
{
	bool irqs, was_armed;
	struct callout_queue *queue = queue_lock_of(callout, &irqs);

	if (!queue)
		return false;
	was_armed = callout_is_armed(callout);
	if (was_armed) {
		rb_remove(&queue->tree, &callout->node);
		callout_note_first(queue);
		queue->statistics.cancelled++;
	}
	spin_unlock_irqrestore(&queue->lock, irqs);
	return was_armed;
}

/*
 * On its own hart a function that began has ended before anybody else can ask. On which other it runs the callout
 * does not know: since then it may have been armed here. Pairs with callout_run_first(): what the function did is done.
 */
static bool callout_runs_elsewhere(const struct callout *callout)
{
	for_each_hart(hart,
		      harts_other()) if (atomic_load_acquire(&pcpus[hart].callouts->running) ==
					 callout) return true;
	return false;
}

bool callout_cancel_sync(struct callout *callout)
{
	bool was_armed = callout_cancel(callout);

	while (callout_runs_elsewhere(callout)) {
		was_armed |= callout_cancel(callout);
		spin_relax();
	}
	return was_armed | callout_cancel(callout);
}

/* ---- Running: hart_timer.c ---- */

void callout_run_more(struct callout_queue *queue, u64 now)
{
	while (now >= callout_next(queue) && time_ticks() - now < CALLOUT_BATCH_TICKS)
		callout_run_first(queue, now);
}

void callout_count_late(struct callout_queue *queue, u64 late)
{
	u32 bin = 1;

	queue->statistics.late_max_ticks = MAX(queue->statistics.late_max_ticks, late);
	while (bin < ARRAY_SIZE(queue->bins_ticks) && late > queue->bins_ticks[bin])
		bin++;
	queue->statistics.bins[bin]++;
}

/* ---- Figures ---- */

enum error callout_statistics(u32 hart, struct callout_statistics *statistics)
{
	struct callout_queue *queue = hart < CONFIG_CPU_MAX ? pcpus[hart].callouts : NULL;
	bool irqs;

	if (!queue)
		return ERR_RANGE;
	irqs = spin_lock_irqsave(&queue->lock);
	*statistics = queue->statistics;
	spin_unlock_irqrestore(&queue->lock, irqs);
	for (u32 bin = 0; bin < CALLOUT_BINS; bin++) {
		statistics->run += statistics->bins[bin];
		statistics->late += bin < BIN_LATE ? 0 : statistics->bins[bin];
	}
	return OK;
}

void callout_statistics_reset(void)
{
	for (u32 hart = 0; hart < CONFIG_CPU_MAX; hart++) {
		struct callout_queue *queue = pcpus[hart].callouts;
		bool irqs;

		if (!queue)
			continue;
		irqs = spin_lock_irqsave(&queue->lock);
		queue->statistics = (struct callout_statistics){ 0 };
		spin_unlock_irqrestore(&queue->lock, irqs);
	}
}
