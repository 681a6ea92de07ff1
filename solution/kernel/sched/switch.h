/*
 * switch.h - the few steps that every switch and every wake-up take.
 *
 * They are inline because these are the instructions that a deadline waits for: sched.c, sleep.c and
 * hart_timer.c are each one straight line from what happened to the task that runs next. All of them have
 * interrupts off and hold the lock of `rq`, which is this hart's.
 */
#ifndef MAZU_KERNEL_SCHED_SWITCH_H
#define MAZU_KERNEL_SCHED_SWITCH_H

#include <arch/cpu.h>
#include <mazu/addrspace.h>
#include <mazu/hart_timer.h>
#include <mazu/latency.h>
#include <mazu/preempt.h>
#include <mazu/time.h>

#include "runqueue.h"

void sched_enter_metered(struct runqueue *rq, struct task *task, u64 now);

static inline bool sched_is_queued(const struct task *task)
{
	return task->state == TASK_RUNNABLE && !task->held;
}

/* ---- Charging ---- */

void sched_charge_metered(struct runqueue *rq, struct task *task, u64 ticks, u64 now);
u64 sched_expires_metered(struct runqueue *rq, const struct task *task, u64 now);

/* Returns how much. */
static inline u64 sched_charge_time(struct runqueue *rq, struct task *task, u64 now)
{
	u64 ticks = now - rq->charged;

	rq->charged = now;
	task->run_ticks += ticks;
	return ticks;
}

static inline void sched_charge(struct runqueue *rq, struct task *task, u64 now)
{
	u64 ticks = sched_charge_time(rq, task, now);

	if (unlikely(task->special & SPECIAL_METERED))
		sched_charge_metered(rq, task, ticks, now);
}

static inline u64 sched_expires(struct runqueue *rq, const struct task *task, u64 now)
{
	return unlikely(task->special & SPECIAL_METERED) ? sched_expires_metered(rq, task, now)
							 : UINT64_MAX;
}

/* ---- Waking ---- */

/* One more is queued: the second begins to be a matter for other harts. */
static inline void sched_count_in(struct runqueue *rq)
{
	u32 before = rq->queued;

	if (!IS_ENABLED(CONFIG_SMP))
		return;
	WRITE_ONCE(rq->queued, before + 1);
	if (unlikely(before) && harts_are_many())
		balance_begin_locked(rq);
}

static inline void sched_count_out(struct runqueue *rq)
{
	if (IS_ENABLED(CONFIG_SMP))
		WRITE_ONCE(rq->queued, rq->queued - 1);
}

/* What other harts should know when they look for a place: place.c. */
static inline void sched_publish(struct runqueue *rq, const struct task *task)
{
	if (IS_ENABLED(CONFIG_SMP))
		WRITE_ONCE(rq->urgency, task->urgency);
}

void sched_ask_remote(const struct runqueue *rq);

/* A switch is due on the queue's hart. */
static inline void sched_ask(struct runqueue *rq)
{
	if (!IS_ENABLED(CONFIG_SMP) || likely(rq->cpu == this_cpu()))
		preempt_want(rq->cpu);
	else
		sched_ask_remote(rq);
}

/*
 * `task` was just queued: asks for a switch if it is more urgent than the best that is known; within a
 * class, where it may be. Where the best is not known a switch is asked for already.
 */
static inline void sched_consider(struct runqueue *rq, struct task *task)
{
	struct task *best = rq->best;

	if (!best || task->urgency < best->urgency)
		return;
	if (task->urgency > best->urgency)
		rq->best = task;
	else if (task->class->preempts(rq, task, best))
		rq->best = NULL;
	else
		return;
	sched_ask(rq);
}

static inline void sched_enter(struct runqueue *rq, struct task *task, u64 now, u32 why)
{
	if (unlikely(task->special & SPECIAL_METERED))
		sched_enter_metered(rq, task, now);
	task->class->enqueue(rq, task, now);
	sched_count_in(rq);
	task->special |= SPECIAL_WOKEN;
	task->woken = arch_cycles();
	trace(now, TRACE_READY, task->id, why);
	sched_consider(rq, task);
}

static inline void sched_wake(struct runqueue *rq, struct task *task, u64 now, u32 why)
{
	task->state = TASK_RUNNABLE;
	if (likely(!task->held))
		sched_enter(rq, task, now, why);
}

/* ---- Switching ---- */

static inline struct task *sched_pick(struct runqueue *rq)
{
	struct task *first = dl_pick(&rq->dl);

	if (unlikely(first != NULL))
		return first;
	if (likely(rq->rt.ready))
		return rt_pick(&rq->rt);
	if (rq->fair.count)
		return fair_pick(&rq->fair);
	return rq->idle;
}

/* `to` got the hart at this moment: it waited since it became ready. */
static inline void sched_waited(struct pcpu *cpu, struct task *to)
{
	u64 cycles = arch_cycles() - to->woken;

	to->special &= ~SPECIAL_WOKEN;
	if (IS_ENABLED(CONFIG_LATENCY))
		latency_record(cpu, LATENCY_WAKE_TO_RUN, cycles);
}

/* Comes back when somebody switches to `from`, with the lock held and interrupts off as now. */
static inline void sched_hand_over(struct runqueue *rq, struct task *from, struct task *to, u64 now)
{
	struct pcpu *cpu = this_cpu();

	rq->current = to;
	rq->best = to;
	sched_publish(rq, to);
	cpu->current = to;
	rq->switches++;
	cpu->arch.stack_base = to->stack;
	trace(now, TRACE_SWITCH, to->id, 0);
	arch_switch(&from->context, &to->context);
}

/* Whether the switch that is due is the shortest: to a task that was woken, and nothing else to care about. */
static inline bool sched_is_short(const struct runqueue *rq)
{
	return rq->best && (rq->current->special | rq->best->special) == SPECIAL_WOKEN;
}

/* What is rarer: budgets, fair shares, programs. */
void sched_switch_special(struct runqueue *rq, struct task *from, struct task *to, u64 now);

/* The hart goes to the best that is queued. */
static inline __attribute__((always_inline)) void sched_schedule(struct runqueue *rq)
{
	u64 now = time_ticks();
	struct task *from = rq->current, *to;
	u32 special;

	sched_charge(rq, from, now);
	preempt_quiet(this_cpu());
	to = rq->best;
	if (unlikely(!to))
		to = sched_pick(rq);
	special = from->special | to->special;
	if (special == SPECIAL_WOKEN) {
		sched_waited(this_cpu(), to);
		special = 0;
	}
	if (unlikely(special))
		sched_switch_special(rq, from, to, now);
	else if (likely(to != from))
		sched_hand_over(rq, from, to, now);
	else
		rq->best = to;
	if (IS_ENABLED(CONFIG_SCHED_CHECK))
		sched_check_locked(this_cpu()->rq); /* it may be another hart */
}

#endif
