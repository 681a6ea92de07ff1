/*
 * What is reserved on each hart: the memory of admission.
 *
 * Deadlines are partitioned: a task is admitted on one hart and stays there, so that what one hart can keep, which dl_admit()
 * knows, is all that has to be known. A table of the reservations of each hart, one for each SCHED_DEADLINE task. A
 * change is tried on a copy: what would be reserved if it were made goes to dl_admit(), and only if that agrees is the
 * table changed. Where the task's own hart has no room, or it is new, harts are tried in the order of what is reserved
 * there, the least first, which keeps large gaps for large tasks no worse than any rule that does not move the others.
 *
 * The test is quadratic, up to 80,000 instructions for 64 tasks, so nobody is kept out meanwhile: the lock is dropped, and
 * if anything was changed in between, whoever asked begins anew (change.c), in the end with the lock held, which
 * keeps other tasks of this hart from running; interrupts never.
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
	u64 bandwidth;		  /* of demand, in 2^-20 */
	const struct task *owner; /* NULL: given up */
	struct dl_demand before;  /* the most that was reserved; no runtime: nothing, */
	u64 until;		  /* and is in use until then (raw ticks) */
};

struct reservations {
	struct reservation slots[CONFIG_SCHED_DL_TASKS]; /* admission_lock */
	u32 count;					 /* admission_lock */
	u64 bandwidth;					 /* admission_lock: sum of the slots' */
};

/* What would be reserved after a change. */
struct proposal {
	struct dl_demand demands[CONFIG_SCHED_DL_TASKS];
	u32 count;
};

struct spinlock admission_lock = SPINLOCK_INIT(LOCK_ADMISSION);
static struct reservations reservations[CONFIG_CPU_MAX];
static u64 changes; /* admission_lock: how often a task was changed */

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
		else
			table->bandwidth -= slot->bandwidth;
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

/* Whether the table has room. ERR_AGAIN: it may be another table by now. */
static enum error test_locked(const struct reservations *table, const struct task *task,
			      const struct sched_params *params, bool open)
{
	u64 before = changes;
	struct proposal proposal;
	enum error err = propose_locked(table, task, params, &proposal);

	if (err || !open)
		return err ? err : dl_admit(proposal.demands, proposal.count);
	spin_unlock(&admission_lock);
	err = dl_admit(proposal.demands, proposal.count);
	spin_lock(&admission_lock);
	return changes == before ? err : ERR_AGAIN;
}

/* The hart of the set, which is not empty, to be tried first. */
static u32 first_of(const struct task *task, u64 harts)
{
	u32 own = READ_ONCE(task->rq)->hart;
	u32 first = harts & hart_bit(own) ? own : bit_lowest(harts);

	if (first == own && task->state != TASK_NEW)
		return own;
	for_each_hart(hart, harts) if (reservations[hart].bandwidth < reservations[first].bandwidth)
		first = (u32)hart;
	return first;
}

enum error admission_find_locked(const struct task *task, const struct sched_params *params,
				 u64 harts, bool open, u32 *hart)
{
	enum error err = ERR_BUSY;

	spin_assert_held(&admission_lock);
	for (; err == ERR_BUSY && harts; harts &= ~hart_bit(*hart)) {
		*hart = first_of(task, harts);
		expire_locked(&reservations[*hart], time_ticks());
		err = test_locked(&reservations[*hart], task, params, open);
	}
	return err;
}

void admission_end_locked(struct task *task)
{
	struct reservation *old = find_locked(&reservations[task->reserved_on], task);

	spin_assert_held(&admission_lock);
	if (!old)
		return;
	retire_locked(old, task);
	old->owner = NULL;
}

/* The task's slot; or a new one, for which the test has seen that there is room. */
static struct reservation *slot_locked(struct reservations *table, struct task *task)
{
	struct reservation *slot = find_locked(table, task);

	if (slot) {
		retire_locked(slot, task);
		table->bandwidth -= slot->bandwidth;
		return slot;
	}
	slot = &table->slots[table->count++];
	*slot = (struct reservation){ .owner = task };
	return slot;
}

void admission_commit_locked(struct task *task, const struct sched_params *params, u32 hart)
{
	struct reservations *table = &reservations[hart];
	struct reservation *slot;

	spin_assert_held(&admission_lock);
	changes++;
	if (params->policy != SCHED_DEADLINE || task->reserved_on != hart)
		admission_end_locked(task);
	if (params->policy != SCHED_DEADLINE)
		return;
	task->reserved_on = hart;
	slot = slot_locked(table, task);
	slot->demand = demand_of(params);
	slot->bandwidth = (slot->demand.runtime_ns << 20) / slot->demand.period_ns;
	table->bandwidth += slot->bandwidth;
}

u64 admission_bandwidth(u32 hart)
{
	struct reservations *table = &reservations[hart];
	u64 sum;

	spin_lock(&admission_lock);
	expire_locked(table, time_ticks());
	sum = table->bandwidth;
	spin_unlock(&admission_lock);
	return sum;
}
