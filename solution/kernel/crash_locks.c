/*
 * Locks used as they must not be: the kinds that lockdep.h tells of.
 *
 * Each inversion needs somebody who does it the right way first; that is another task, so that the report has two
 * names to tell.
 */
#include <arch/cpu.h>
#include <mazu/callout.h>
#include <mazu/crash.h>
#include <mazu/smp.h>
#include <mazu/spinlock.h>
#include <mazu/task.h>
#include <mazu/time.h>

static struct spinlock outer = SPINLOCK_INIT(LOCK_QUARANTINE);
static struct spinlock inner = SPINLOCK_INIT(LOCK_SLABS);

static void run_and_join(struct str name, u64 (*run)(void *))
{
	struct result_task task = task_create(
		&(struct task_attributes){
			.name = name,
			.params = { .policy = SCHED_FIFO, .priority = CONFIG_SCHED_NPRIO - 2 },
		},
		run, NULL);

	if (!task.err && task_join(task.value).err)
		return;
}

static u64 take_in_order(void *unused)
{
	bool irqs = spin_lock_irqsave(&outer);

	(void)unused;
	spin_lock_irqs_off(&inner);
	spin_unlock_irqs_off(&inner);
	spin_unlock_irqrestore(&outer, irqs);
	return 0;
}

static u64 take_inverted(void *unused)
{
	bool irqs = spin_lock_irqsave(&inner);

	(void)unused;
	spin_lock_irqs_off(&outer);
	spin_unlock_irqs_off(&outer);
	spin_unlock_irqrestore(&inner, irqs);
	return 0;
}

CRASH_KIND(crash_lock_inversion, "lock-inversion",
	   "take two locks in the order in which others do not")
{
	run_and_join(STR("in-order"), take_in_order);
	run_and_join(STR("inverted"), take_inverted);
}

CRASH_KIND(crash_lock_twice, "lock-twice", "take a lock that this hart has")
{
	bool irqs = spin_lock_irqsave(&outer);

	spin_lock_irqs_off(&outer);
	spin_unlock_irqs_off(&outer);
	spin_unlock_irqrestore(&outer, irqs);
}

CRASH_KIND(crash_lock_sleep, "lock-sleep", "sleep while holding a lock")
{
	spin_lock(&outer);
	if (!task_sleep(NS_PER_MS))
		spin_unlock(&outer);
}

static u64 end_with_lock(void *unused)
{
	(void)unused;
	spin_lock(&outer);
	return 0;
}

CRASH_KIND(crash_lock_end, "lock-end", "end a task that holds a lock")
{
	run_and_join(STR("forgetful"), end_with_lock);
}

/* ---- In an interrupt ---- */

static void take_in_interrupt(struct callout *callout)
{
	(void)callout;
	spin_lock_irqs_off(&outer);
	spin_unlock_irqs_off(&outer);
}

CRASH_KIND(crash_lock_irq, "lock-irq",
	   "take a lock with interrupts on that an interrupt takes, too")
{
	struct callout callout;

	callout_init(&callout, take_in_interrupt);
	callout_arm(&callout, time_ticks());
	if (task_sleep(NS_PER_MS))
		return;
	spin_lock(&outer);
	spin_unlock(&outer);
}

/* ---- Never released ---- */

static u64 keep_lock(void *unused)
{
	bool irqs = spin_lock_irqsave(&outer);

	while (!unused)
		barrier();
	spin_unlock_irqrestore(&outer, irqs);
	return 0;
}

CRASH_KIND(crash_lock_stuck, "lock-stuck", "wait for a lock that another hart never releases")
{
	u64 others = harts_other();
	struct result_task task;
	bool irqs;

	if (!others)
		return;
	task = task_create(
		&(struct task_attributes){
			.name = STR("keeper"),
			.params = { .policy = SCHED_FIFO, .priority = CONFIG_SCHED_NPRIO - 2 },
			.affinity = others,
		},
		keep_lock, NULL);
	if (task.err || task_sleep(NS_PER_MS))
		return;
	irqs = spin_lock_irqsave(&outer);
	spin_unlock_irqrestore(&outer, irqs);
}
