/*
 * What the scheduler tells about itself.
 */
#include <mazu/time.h>

#include "runqueue.h"

/* What runs has had time that nobody has charged yet. */
static u64 idle_ticks_locked(const struct runqueue *rq)
{
	u64 now = time_ticks(),
	    open = rq->current == rq->idle && now > rq->charged ? now - rq->charged : 0;

	return rq->idle->run_ticks + open;
}

static void fill_locked(const struct runqueue *rq, struct sched_info *info)
{
	*info = (struct sched_info){
		.queued = rq->queued,
		.load = rq->queued < 2 ? rq->queued * BALANCE_ONE : rq->load,
		.switches = rq->switches,
		.moved = rq->moved,
		.stolen = rq->stolen,
		.pushed = rq->pushed,
		.timer_writes = rq->timer_writes,
		.timer_interrupts = rq->timer_interrupts,
		.mode = rq->mode.now,
		.mode_changes = rq->mode.changes,
		.idle_ns = time_ns_for(idle_ticks_locked(rq)),
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
