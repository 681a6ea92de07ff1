/*
 * What is reserved on each hart: the memory of admission.
 *
 * A table of the reservations of a hart, one for each SCHED_DEADLINE task. A change is tried on a
 * copy: what would be reserved if it were made goes to dl_admit(), and only if that agrees is the
 * table changed. Admission takes longer than interrupts may be off, so the table has a lock of its
 * own, which only keeps other tasks out.
 *
 * A task that ends, or asks for less from now on, may have used its budget a moment ago: whoever gets
 * the same share now would use it a second time in one period, and somebody else would miss a
 * deadline. So what was reserved before counts until the task's next budget would have come, which is
 * the deadline of the server, or a period after the last release where the deadline is shorter.
 * For the task itself it does not count: it keeps what is left of its budget, not more.
 *
 * Source: Abeni, Buttazzo 1998; the time at which bandwidth is free again: Lipari, Baruah 2000, here
 * taken at the deadline instead of the zero-lag point, which is earlier or the same.
 */
#include <mazu/time.h>

#include "runqueue.h"

struct reservation {
	struct dl_demand demand;
	const struct task *owner; /* NULL: given up */
	struct dl_demand before;  /* the most that was reserved; no runtime: nothing, */
	u64 until;		  /* and is in use until then (raw ticks) */
};

struct reservations {
	struct reservation slots[CONFIG_SCHED_DL_TASKS]; /* admission_lock */
	u32 count;					 /* admission_lock */
};

struct spinlock admission_lock = SPINLOCK_INIT(LOCK_ADMISSION);
static struct reservations reservations[CONFIG_CPU_MAX];

static struct dl_demand demand_of(const struct sched_params *params)
{
	return (struct dl_demand){
		.runtime_ns = params_runtime_max(params),
		.deadline_ns = params->deadline_ns ? params->deadline_ns : params->period_ns,
		.period_ns = params->period_ns,
	};
}

/* As much as the larger wants, as soon as the sooner wants it. */
static struct dl_demand most(const struct dl_demand *now, const struct dl_demand *before)
{
	if (!before->runtime_ns)
		return *now;
	return (struct dl_demand){
		.runtime_ns = MAX(now->runtime_ns, before->runtime_ns),
		.deadline_ns = MIN(now->deadline_ns, before->deadline_ns),
		.period_ns = MIN(now->period_ns, before->period_ns),
	};
}

/* Forgets what is free by now. */
static void expire_locked(struct reservations *table, u64 now)
{
	u32 kept = 0;

	for (u32 i = 0; i < table->count; i++) {
		struct reservation *slot = &table->slots[i];

		if (!rb_before(now, slot->until))
			slot->before.runtime_ns = 0;
		if (slot->owner || slot->before.runtime_ns)
			table->slots[kept++] = *slot;
	}
	table->count = kept;
}

/* The task is about to have something else: what it has now is in use until its next budget would come. */
static void retire_locked(struct reservation *slot, const struct task *task)
{
	const struct budget *budget = &task->budget;
	u64 until = budget->until ? budget->until + budget->period - budget->deadline : 0;

	slot->before = most(&slot->demand, &slot->before);
	if (rb_before(slot->until, until))
		slot->until = until;
}

static struct reservation *find_locked(struct reservations *table, const struct task *task)
{
	for (u32 i = 0; i < table->count; i++)
		if (table->slots[i].owner == task)
			return &table->slots[i];
	return NULL;
}

/* The table with `demand` in place of `old` or behind the others. */
static enum error try_locked(const struct reservations *table, const struct reservation *old,
			     const struct dl_demand *demand)
{
	static struct dl_demand demands[CONFIG_SCHED_DL_TASKS]; /* admission_lock */
	u32 count = table->count;

	if (!old && count == CONFIG_SCHED_DL_TASKS)
		return ERR_BUSY;
	for (u32 i = 0; i < count; i++)
		demands[i] = &table->slots[i] == old
				     ? *demand
				     : most(&table->slots[i].demand, &table->slots[i].before);
	if (!old)
		demands[count++] = *demand;
	return dl_admit(demands, count);
}

void admission_end_locked(struct task *task)
{
	struct reservation *old = find_locked(&reservations[task->rq->hart], task);

	spin_assert_held(&admission_lock);
	if (!old)
		return;
	retire_locked(old, task);
	old->owner = NULL;
}

enum error admission_change_locked(struct task *task, const struct sched_params *params, u64 now)
{
	struct reservations *table = &reservations[task->rq->hart];
	struct reservation *old;
	struct dl_demand demand;
	enum error err;

	spin_assert_held(&admission_lock);
	expire_locked(table, now);
	old = find_locked(table, task);
	if (params->policy != SCHED_DEADLINE) {
		admission_end_locked(task);
		return OK;
	}
	demand = demand_of(params);
	err = try_locked(table, old, &demand);
	if (err)
		return err;
	if (old) {
		retire_locked(old, task);
		old->demand = demand;
	} else {
		table->slots[table->count++] =
			(struct reservation){ .demand = demand, .owner = task };
	}
	return OK;
}

u64 admission_bandwidth(u32 hart)
{
	struct reservations *table = &reservations[hart];
	u64 sum = 0;

	spin_lock(&admission_lock);
	expire_locked(table, time_ticks());
	for (u32 i = 0; i < table->count; i++)
		sum += (table->slots[i].demand.runtime_ns << 20) / table->slots[i].demand.period_ns;
	spin_unlock(&admission_lock);
	return sum;
}
