/*
 * What the scheduler tells about itself.
 */
#include <mazu/time.h>

#include "runqueue.h"

static void fill_locked(const struct runqueue *rq, struct sched_info *info)
{
	*info = (struct sched_info){
		.switches = rq->switches,
		.timer_writes = rq->timer_writes,
		.timer_interrupts = rq->timer_interrupts,
		.mode = rq->mode.now,
		.mode_changes = rq->mode.changes,
		.idle_ns = time_ns_for(rq->idle->run_ticks),
	};
}

enum error sched_info(u32 hart, struct sched_info *info)
{
	struct runqueue *rq = runqueue_of(hart);
	bool irqs;

	if (!rq)
		return ERR_RANGE;
	irqs = spin_lock_irqsave(&rq->lock);
	fill_locked(rq, info);
	spin_unlock_irqrestore(&rq->lock, irqs);
	info->bandwidth = admission_bandwidth(hart);
	return OK;
}
