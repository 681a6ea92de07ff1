/*
 * What is reserved on each hart: the memory of admission.
 *
 * A table of the reservations of a hart, one for each SCHED_DEADLINE task. A change is tried on a
 * copy: what would be reserved if it were made goes to dl_admit(), and only if that agrees is the
 * table changed. The test is quadratic, up to 80,000 instructions for 64 tasks, so nobody is kept out meanwhile:
 * the lock is dropped, and if the table was changed in between, the test is made again. After RACES_MAX
 * of those it is made with the lock held, which keeps other tasks of this hart from running; interrupts never.
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
	u64 changes; /* admission_lock: how often somebody got something */
};

/* Tests that may be in vain. */
#define RACES_MAX 4

/* What would be reserved after a change. */
struct proposal {
	struct dl_demand demands[CONFIG_SCHED_DL_TASKS];
	u32 count;
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

/* The table with what `params` ask for in place of what `task` has, or behind the others. ERR_BUSY: it is full. */
static enum error propose_locked(const struct reservations *table, const struct task *task,
				 const struct sched_params *params, struct proposal *proposal)
{
	bool is_new = true;

	for (u32 i = 0; i < table->count; i++) {
		const struct reservation *slot = &table->slots[i];
		bool own = slot->owner == task;

		proposal->demands[i] = own ? demand_of(params) : most(&slot->demand, &slot->before);
		is_new &= !own;
	}
	proposal->count = table->count;
	if (!is_new)
		return OK;
	if (table->count == CONFIG_SCHED_DL_TASKS)
		return ERR_BUSY;
	proposal->demands[proposal->count++] = demand_of(params);
	return OK;
}

enum error admission_test_locked(const struct task *task, const struct sched_params *params)
{
	struct reservations *table = &reservations[task->rq->hart];
	struct proposal proposal;

	spin_assert_held(&admission_lock);
	if (params->policy != SCHED_DEADLINE)
		return OK;
	for (u32 races = 0;; races++) {
		u64 changes = table->changes;
		enum error err;

		expire_locked(table, time_ticks());
		err = propose_locked(table, task, params, &proposal);
		if (err || races == RACES_MAX)
			return err ? err : dl_admit(proposal.demands, proposal.count);
		spin_unlock(&admission_lock);
		err = dl_admit(proposal.demands, proposal.count);
		spin_lock(&admission_lock);
		if (table->changes == changes)
			return err;
	}
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

void admission_commit_locked(struct task *task, const struct sched_params *params)
{
	struct reservations *table = &reservations[task->rq->hart];
	struct reservation *slot = find_locked(table, task);

	spin_assert_held(&admission_lock);
	if (params->policy != SCHED_DEADLINE) {
		admission_end_locked(task);
		return;
	}
	if (slot) {
		retire_locked(slot, task);
	} else {
		slot = &table->slots[table->count++];
		*slot = (struct reservation){ .owner = task };
	}
	slot->demand = demand_of(params);
	table->changes++;
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
