/*
 * The hart's one timer: see hart_timer.h.
 *
 * An interrupt does one kind of work: callouts that are due, or else the running task's expiry. What is still due
 * then interrupts again at once, before a switch: nobody gets the hart for no time at all.
 *
 * One may come early: "never" is a time far ahead, seeds set the hardware to sooner, and an emulator whose harts are
 * threads may raise the interrupt of a moment just when that is replaced by a later one. The hardware is then told
 * again, or the interrupt would come at once, and for ever.
 *
 * timer_arm() of the earlier stages is one callout among others here.
 */
#include <arch/cpu.h>
#include <mazu/callout.h>
#include <mazu/hart_timer.h>
#include <mazu/lockdep.h>
#include <mazu/preempt.h>
#include <mazu/time.h>

#include "callout_run.h"
#include "switch.h"

/* Returns when it comes. */
static inline u64 update(struct pcpu *cpu, struct runqueue *rq)
{
	u64 first = callout_next(cpu->callouts);
	u64 when = MIN(rq->expires, first);

	if (when != cpu->timer_ticks || explore_is_on())
		timer_write(when);
	return when;
}

/*
 * The hardware is set early by the time that an interrupt takes to get here; the rest of it is waited
 * out, so what happens happens at its moment, and not an interrupt's entry later. Bounded by the lead.
 */
static inline u64 wait_for(u64 moment)
{
	u64 now = time_ticks(), lead = TIMER_LEAD_TICKS;

	while (unlikely(moment - now - 1 < lead))
		now = time_ticks();
	return now;
}

void hart_timer_update(void)
{
	struct pcpu *cpu = this_cpu();

	cpu->rq->timer_writes++;
	update(cpu, cpu->rq);
}

void timer_interrupt(void)
{
	struct pcpu *cpu = this_cpu();
	struct runqueue *rq = cpu->rq;
	u64 now, next;

	latency_irq_off(cpu);
	now = wait_for(cpu->timer_ticks);
	if (unlikely(now < cpu->timer_ticks))
		cpu->timer_ticks = 0; /* update() writes it */
	rq->timer_interrupts++;
	lockdep_interrupt_begin();
	if (!callout_run(cpu->callouts, now) && now >= rq->expires)
		sched_expired(rq, now);
	next = update(cpu, rq);
	lockdep_interrupt_end();
	if (next <= now || unlikely(!sched_is_short(rq)))
		preempt_pause(cpu);
	preempt_interrupt_end(cpu);
}

u64 timer_interrupts(u32 hart)
{
	bool is_there = hart < CONFIG_CPU_MAX && harts_online() & hart_bit(hart);

	return is_there ? READ_ONCE(runqueue_of(hart)->timer_interrupts) : 0;
}

/* ---- One request, as before there were callouts ---- */

static struct {
	struct callout callout;
	void (*expired)(void *arg);
	void *arg;
} single; /* interrupts off */

static void single_run(struct callout *callout)
{
	(void)callout;
	single.expired(single.arg);
}

void timer_arm(u64 deadline_ns, void (*expired)(void *arg), void *arg)
{
	bool irqs = arch_irq_save();

	callout_cancel(&single.callout);
	callout_init(&single.callout, single_run);
	single.expired = expired;
	single.arg = arg;
	callout_arm(&single.callout, time_ticks_at(deadline_ns));
	arch_irq_restore(irqs);
}

void timer_cancel(void)
{
	callout_cancel(&single.callout);
}
