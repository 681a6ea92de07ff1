/*
 * Domains: one budget for a group of tasks.
 *
 * Periods follow each other from the domain's creation on. Whatever a member runs is taken off what the
 * domain has left in this period; when nothing is left all members are held until the next begins. An idle
 * domain costs nothing: there is no timer for the end of a period in which something was left, the
 * next charge notices. It may have begun in the old period: what of it lies in the new one is
 * charged there, so what was saved does not carry over.
 *
 * Holding or releasing many tasks takes long, and interrupts are off meanwhile. So the callout moves one
 * at a time and is due again at once, until it finds none to move: before a switch, all have been.
 *
 * All of a domain is guarded by the lock of its hart's run queue.
 */
#include <mazu/kmalloc.h>
#include <mazu/mem.h>
#include <mazu/time.h>

#include "runqueue.h"

struct sched_domain {
	struct runqueue *rq; /* c */
	u32 id;		     /* c */
	u8 name[TASK_NAME_MAX];
	u64 budget, period;	  /* c: ticks */
	i64 left;		  /* q: below 0 by what a tick is late */
	u64 until;		  /* q: the end of this period */
	bool exhausted;		  /* q: members are to be held */
	struct callout next;	  /* q: armed while exhausted, and while there is more to do */
	struct list members;	  /* q */
	u32 count;		  /* q */
	u64 used;		  /* q: ticks, ever */
	u64 exhaustions, refills; /* q */
};

static u32 last_id; /* tasks_lock */

/* ---- Holding and releasing ---- */

/* Brings a member to where it should be; false: all are. Looks at CONFIG_SCHED_DOMAIN_TASKS at most. */
static bool move_member(struct sched_domain *domain, u64 now)
{
	u32 hold = domain->exhausted ? HOLD_DOMAIN : 0;

	list_for_each(at, &domain->members)
	{
		struct task *task = container_of(at, struct task, domain_link);

		if ((task->held & HOLD_DOMAIN) == hold)
			continue;
		if (hold)
			sched_hold_locked(domain->rq, task, HOLD_DOMAIN, now);
		else
			sched_release_locked(domain->rq, task, HOLD_DOMAIN, now);
		return true;
	}
	return false;
}

static void go_on(struct sched_domain *domain, u64 now)
{
	if (move_member(domain, now))
		callout_arm(&domain->next, now);
	else if (domain->exhausted)
		callout_arm(&domain->next, domain->until);
}

/* ---- Periods ---- */

/* The period that holds `now` begins, or has long begun. What is overdrawn stays so, what was saved is lost. */
static void refill(struct sched_domain *domain, u64 now)
{
	u64 behind = now - domain->until;

	domain->left = MIN(domain->left, (i64)0) + (i64)domain->budget;
	domain->until += domain->period;
	if (unlikely(behind >= domain->period))
		domain->until += behind / domain->period * domain->period;
	domain->refills++;
}

static void next(struct callout *callout)
{
	struct sched_domain *domain = container_of(callout, struct sched_domain, next);
	u64 now = callout->node.key;

	spin_lock_irqs_off(&domain->rq->lock);
	sched_charge_locked(domain->rq, time_ticks()); /* it may be a member that runs */
	if (domain->exhausted && !rb_before(now, domain->until)) {
		refill(domain, now);
		domain->exhausted = domain->left <= 0;
		if (!domain->exhausted)
			trace(now, TRACE_DOMAIN, domain->id, 1);
	}
	go_on(domain, now);
	spin_unlock_irqs_off(&domain->rq->lock);
}

/* A new period began in the middle of `ticks`, which end now: charges what was before; what is left is the new one's. */
static u64 charge_old_period(struct sched_domain *domain, u64 ticks, u64 now)
{
	u64 behind = MIN(ticks, now - domain->until);

	domain->left -= (i64)(ticks - behind);
	refill(domain, now);
	return MIN(behind, now - (domain->until - domain->period));
}

static void exhaust(struct sched_domain *domain, u64 now)
{
	domain->exhausted = true;
	domain->exhaustions++;
	trace(now, TRACE_DOMAIN, domain->id, 0);
	callout_arm(&domain->next, now);
}

void domain_charge(struct runqueue *rq, struct task *task, u64 ticks, u64 now)
{
	struct sched_domain *domain = task->domain;

	(void)rq;
	domain->used += ticks;
	if (unlikely(!rb_before(now, domain->until)) && !domain->exhausted)
		ticks = charge_old_period(domain, ticks, now);
	domain->left -= (i64)ticks;
	if (likely(domain->left > 0))
		return;
	sched_hold_locked(domain->rq, task, HOLD_DOMAIN, now);
	if (!domain->exhausted)
		exhaust(domain, now);
}

u64 domain_expires(const struct task *task, u64 now)
{
	return now + (u64)MAX(task->domain->left, (i64)0);
}

/* ---- Members ---- */

struct runqueue *domain_queue(const struct sched_domain *domain)
{
	return domain->rq;
}

enum error domain_join_locked(struct sched_domain *domain, struct task *task, u64 now)
{
	spin_assert_held(&domain->rq->lock);
	if (domain->count == CONFIG_SCHED_DOMAIN_TASKS)
		return ERR_NOSPC;
	domain->count++;
	list_push_back(&domain->members, &task->domain_link);
	task->domain = domain;
	if (domain->exhausted)
		sched_hold_locked(domain->rq, task, HOLD_DOMAIN, now);
	return OK;
}

void domain_leave_locked(struct task *task, u64 now)
{
	struct sched_domain *domain = task->domain;

	if (!domain)
		return;
	spin_assert_held(&domain->rq->lock);
	domain->count--;
	list_remove(&task->domain_link);
	task->domain = NULL;
	sched_release_locked(domain->rq, task, HOLD_DOMAIN, now);
}

/* ---- Coming and going ---- */

static u32 new_id(void)
{
	bool irqs = spin_lock_irqsave(&tasks_lock);
	u32 id = ++last_id;

	spin_unlock_irqrestore(&tasks_lock, irqs);
	return id;
}

struct result_domain sched_domain_create(struct str name, u64 budget_ns, u64 period_ns)
{
	struct result_ptr memory;
	struct sched_domain *domain;

	if (budget_ns < SCHED_RUNTIME_MIN_NS || budget_ns > period_ns ||
	    period_ns < SCHED_PERIOD_MIN_NS || period_ns > SCHED_PERIOD_MAX_NS)
		return result_domain_err(ERR_INVAL);
	memory = kmalloc_zero(sizeof(*domain));
	if (memory.err)
		return result_domain_err(memory.err);
	domain = memory.value;
	domain->rq = this_cpu()->rq;
	domain->id = new_id();
	memcpy(domain->name, name.data, MIN(name.len, sizeof(domain->name) - 1));
	domain->budget = time_ticks_for(budget_ns);
	domain->period = time_ticks_for(period_ns);
	domain->left = (i64)domain->budget;
	domain->until = time_ticks() + domain->period;
	list_init(&domain->members);
	callout_init(&domain->next, next);
	return result_domain_ok(domain);
}

enum error sched_domain_destroy(struct sched_domain *domain)
{
	bool irqs = spin_lock_irqsave(&domain->rq->lock);
	u32 count = domain->count;

	spin_unlock_irqrestore(&domain->rq->lock, irqs);
	if (count)
		return ERR_BUSY;
	callout_cancel_sync(&domain->next);
	kfree(domain, sizeof(*domain));
	return OK;
}

void sched_domain_info(struct sched_domain *domain, struct sched_domain_info *info)
{
	bool irqs = spin_lock_irqsave(&domain->rq->lock);

	*info = (struct sched_domain_info){
		.id = domain->id,
		.tasks = domain->count,
		.used_ns = time_ns_for(domain->used),
		.exhausted = domain->exhaustions,
		.refills = domain->refills,
	};
	spin_unlock_irqrestore(&domain->rq->lock, irqs);
}
