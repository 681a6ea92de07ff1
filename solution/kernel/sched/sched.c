/*
 * The core of the scheduler: becoming ready, being charged, being replaced.
 *
 * Everything goes through four places. sched_wake_locked() and sched_block_locked() move a task
 * between BLOCKED and RUNNABLE; sched_hold_locked() and sched_release_locked() take a runnable task
 * out of its queue and put it back; schedule_locked() gives the hart to the best that is
 * queued. None of them knows a policy: classes (runqueue.h) do. The steps they share are in switch.h.
 *
 * A switch happens with the run queue's lock held and interrupts off. The lock goes with the
 * hart, not with the task: who was switched to releases what who was switched from had taken.
 *
 * The running task is charged for its time at each of these places, to the tick. When
 * it must be looked at again (rq->expires) is part of the hart's one timer (hart_timer.c).
 *
 * Bounds: one O(log n) operation of a class for each of them; a charge may hold or release the tasks of a
 * domain or of a mode, of which Kconfig says how many there are at most.
 */
#include <mazu/panic.h>

#include "switch.h"

static struct runqueue runqueues[CONFIG_CPU_MAX];

struct runqueue *runqueue_of(u32 hart)
{
	return hart < CONFIG_CPU_MAX && runqueues[hart].idle ? &runqueues[hart] : NULL;
}

/* ---- Queued or not ---- */

void sched_want_locked(struct runqueue *rq)
{
	rq->best = NULL;
	sched_ask(rq);
}

void sched_ask_remote(const struct runqueue *rq)
{
	if (IS_ENABLED(CONFIG_SMP))
		ipi_send(rq->hart, IPI_RESCHEDULE);
}

void sched_enter_metered(struct runqueue *rq, struct task *task, u64 now)
{
	if (task->budget.runtime)
		dl_wake(&task->budget, now);
	if (task->params.criticality)
		mode_queued(rq, task, now);
}

/* Who leaves may be the best that is known. */
static void queue_leave(struct runqueue *rq, struct task *task, u64 now)
{
	task->class->dequeue(rq, task, now);
	sched_count_out(rq);
	if (task == rq->best || task == rq->current)
		sched_want_locked(rq);
	if (unlikely(task->params.criticality))
		mode_dequeued(rq, task, now);
}

void sched_wake_locked(struct runqueue *rq, struct task *task, u64 now)
{
	spin_assert_held(&rq->lock);
	sched_wake(rq, task, now, task->state == TASK_NEW ? 3 : 1);
}

struct runqueue *sched_wake_placed_locked(struct runqueue *rq, struct task *task)
{
	if (IS_ENABLED(CONFIG_SMP) && task != rq->current && task_is_movable(task))
		rq = task_move_relock(rq, task, sched_place(task, task->affinity));
	if (task->state == TASK_BLOCKED)
		sched_wake_locked(rq, task, time_ticks());
	return rq;
}

void sched_hold_locked(struct runqueue *rq, struct task *task, u32 why, u64 now)
{
	spin_assert_held(&rq->lock);
	if (sched_is_queued(task)) {
		queue_leave(rq, task, now);
		trace(now, TRACE_BLOCK, task->id, 3);
	}
	task->held |= why;
}

void sched_release_locked(struct runqueue *rq, struct task *task, u32 why, u64 now)
{
	bool was_held = task->held != 0;

	spin_assert_held(&rq->lock);
	task->held &= ~why;
	if (was_held && sched_is_queued(task)) {
		sched_enter(rq, task, now, 2);
		if (task == rq->current) {
			task->special &= ~(u32)SPECIAL_WOKEN; /* it runs */
			sched_want_locked(rq);
		}
	}
}

/* ---- What the running task has used ---- */

/* Each may hold the task; the others are owed what it had all the same. */
void sched_charge_metered(struct runqueue *rq, struct task *task, u64 ticks, u64 now)
{
	if (task->state != TASK_RUNNABLE)
		return;
	if (task->class->charge && sched_is_queued(task))
		task->class->charge(rq, task, ticks, now);
	if (task->budget.runtime)
		budget_charge(rq, task, ticks, now);
	if (task->domain)
		domain_charge(rq, task, ticks, now);
}

void sched_charge_locked(struct runqueue *rq, u64 now)
{
	sched_charge(rq, rq->current, now);
}

u64 sched_expires_metered(struct runqueue *rq, const struct task *task, u64 now)
{
	u64 at = UINT64_MAX;

	if (task->class->expires)
		at = task->class->expires(rq, task, now);
	if (task->budget.runtime)
		at = MIN(at, budget_expires(task, now));
	if (task->domain)
		at = MIN(at, domain_expires(task, now));
	return at;
}

/* ---- Switching ---- */

static void set_expires(struct runqueue *rq, u64 expires)
{
	if (expires == rq->expires)
		return;
	rq->expires = expires;
	hart_timer_update();
}

void sched_switch_special(struct runqueue *rq, struct task *from, struct task *to, u64 now)
{
	if (to == from) {
		if (to->special & SPECIAL_WOKEN) /* on its way to wait */
			sched_waited(this_cpu(), to);
		rq->best = to;
		set_expires(rq, sched_expires(rq, to, now));
		return;
	}
	if (from->class->stop && sched_is_queued(from))
		from->class->stop(rq, from);
	if (to->class->start)
		to->class->start(rq, to);
	set_expires(rq, sched_expires(rq, to, now));
	if (to->special & SPECIAL_WOKEN)
		sched_waited(this_cpu(), to);
	if (from->space != to->space)
		addrspace_switch(to->space);
	if (IS_ENABLED(CONFIG_SMP) && unlikely(from->special & SPECIAL_MOVE))
		sched_depart_locked(rq, from);
	sched_hand_over(rq, from, to, now);
}

void schedule_locked(struct runqueue *rq)
{
	spin_assert_held(&rq->lock);
	sched_schedule(rq);
}

void sched_block_locked(struct runqueue *rq, u32 why)
{
	struct task *task = rq->current;
	u64 now = time_ticks();

	sched_charge(rq, task, now);
	if (likely(sched_is_queued(task)))
		queue_leave(rq, task, now);
	task->state = TASK_BLOCKED;
	trace(now, TRACE_BLOCK, task->id, why);
	if (unlikely(task->special)) {
		spin_unlock_irqs_off(&rq->lock);
		preempt_pause(rq->cpu); /* who wakes the task here finds it blocked, and running */
		spin_lock_irqs_off(&rq->lock);
	}
	sched_schedule(rq);
}

void task_use_space(struct addrspace *space)
{
	bool irqs;
	struct runqueue *rq = rq_lock_own(&irqs);
	struct task *task = rq->current;

	task->space = space;
	task->special &= ~(u32)SPECIAL_SPACE;
	if (space)
		task->special |= SPECIAL_SPACE;
	addrspace_switch(space);
	rq_unlock_own(irqs);
}

void preempt_now(void)
{
	bool irqs;

	if (!arch_irq_enabled())
		return;
	schedule_locked(rq_lock_own(&irqs));
	rq_unlock_own(irqs);
}

void preempt_section_end(u64 cycles)
{
	latency_preempt_on(cycles);
	preempt_now();
}

/* A task that may be killed anywhere ends here, where it holds nothing of the kernel's. */
void preempt_trap(void)
{
	struct task *task;

	spin_lock_irqs_off(&this_cpu()->rq->lock);
	sched_schedule(this_cpu()->rq);
	task = this_cpu()->current;
	spin_unlock_irqs_off(&this_cpu()->rq->lock);
	if (unlikely(task->killed) && task->kill_anywhere) {
		latency_irq_on(this_cpu());
		arch_irq_enable();
		task_exit(TASK_KILLED);
	}
}

/* The timer came, and the running task was to be looked at by now. */
void sched_expired(struct runqueue *rq, u64 now)
{
	spin_lock_irqs_off(&rq->lock);
	sched_charge_locked(rq, now);
	rq->expires = sched_is_queued(rq->current) ? sched_expires(rq, rq->current, now)
						   : UINT64_MAX;
	spin_unlock_irqs_off(&rq->lock);
}

/* ---- The invariant ---- */

static void check_running(const struct runqueue *rq)
{
	const struct task *task = rq->current;
	bool due = !(rq->cpu->preempt & PREEMPT_QUIET) ||
		   READ_ONCE(rq->cpu->ipi_reasons) & IPI_RESCHEDULE;

	if (task != rq->cpu->current || task->rq != rq)
		panic("sched: the running task is not the queue's");
	if (task != rq->idle && !sched_is_queued(task) && !due)
		panic("sched: task %u runs in state %u, held %x", task->id, task->state,
		      task->held);
	if (task->special & SPECIAL_WOKEN && !due)
		panic("sched: task %u runs and waits to run", task->id);
	if (!rq->best && !due)
		panic("sched: nobody looks for the best task");
}

void sched_check_locked(const struct runqueue *rq)
{
	check_running(rq);
	dl_class.check(rq);
	rt_fifo_class.check(rq);
	fair_class.check(rq);
}

/* ---- The idle class: what runs when nothing is queued ---- */

static bool idle_preempts(const struct runqueue *rq, const struct task *task,
			  const struct task *current)
{
	(void)rq, (void)task, (void)current;
	return false;
}

const struct sched_class idle_class = {
	.name = STR("idle"),
	.rank = RANK_IDLE,
	.preempts = idle_preempts,
};

void runqueue_init(struct runqueue *rq, u32 hart)
{
	rq->lock = (struct spinlock)SPINLOCK_INIT(LOCK_SCHED);
	rq->hart = hart;
	rq->cpu = &pcpus[hart];
	rq->quantum = time_ticks_for(CONFIG_SCHED_QUANTUM_US * 1000UL);
	rq->slice = time_ticks_for(CONFIG_SCHED_SLICE_US * 1000UL);
	rq->expires = UINT64_MAX;
	rq->charged = time_ticks();
	rt_queue_init(&rq->rt);
	dl_queue_init(&rq->dl);
	fair_queue_init(&rq->fair);
	mode_init(&rq->mode);
	if (IS_ENABLED(CONFIG_SMP))
		balance_init(rq);
}

struct runqueue *runqueue_prepare(u32 hart)
{
	runqueue_init(&runqueues[hart], hart);
	return &runqueues[hart];
}

void sched_begin(struct task *idle, struct task *running)
{
	struct runqueue *rq = &runqueues[this_cpu()->index];

	rq->idle = idle;
	rq->queued = running != idle;
	rq->current = rq->best = running;
	this_cpu()->rq = rq;
	this_cpu()->current = running;
}
