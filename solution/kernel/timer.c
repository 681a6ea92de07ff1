/*
 * The one timer of stages 1 and 2: a single request, and the hardware is its own.
 */
#include <arch/cpu.h>
#include <mazu/time.h>

static struct {
	void (*expired)(void *arg);
	void *arg;
	u64 deadline_ticks;
	u64 interrupts;
} timer; /* this hart, interrupts off */

u64 timer_interrupts(u32 hart)
{
	return hart == 0 ? timer.interrupts : 0;
}

static void timer_request(u64 deadline_ticks, void (*expired)(void *arg), void *arg)
{
	bool irqs = arch_irq_save();

	timer.expired = expired;
	timer.arg = arg;
	timer.deadline_ticks = deadline_ticks;
	timer_write(deadline_ticks);
	arch_irq_restore(irqs);
}

void timer_arm(u64 deadline_ns, void (*expired)(void *arg), void *arg)
{
	timer_request(time_ticks_at(deadline_ns), expired, arg);
}

void timer_cancel(void)
{
	timer_request(UINT64_MAX, NULL, NULL);
}

/* The interrupt stays pending until the compare register lies ahead: set it before the callback. */
void timer_interrupt(void)
{
	void (*expired)(void *arg) = timer.expired;
	void *arg = timer.arg;

	timer.interrupts++;
	if (time_ticks() < timer.deadline_ticks) {
		timer_write(timer.deadline_ticks);
		return;
	}
	timer_cancel();
	if (expired)
		expired(arg);
}
