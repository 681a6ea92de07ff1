/*
 * spinlock.h - mutual exclusion for a few hundred instructions.
 *
 *	bool irqs = spin_lock_irqsave(&klog_lock);
 *	...
 *	spin_unlock_irqrestore(&klog_lock, irqs);
 *
 * Up to stage 3 the kernel runs on one hart: with interrupts off nobody else can be inside, so a
 * lock is a promise that only debug builds check: that it is free when it is taken, that ranks
 * are in order (locks.h), that functions which need it have it. Stage 4 gives the same functions
 * something to spin on.
 */
#ifndef MAZU_SPINLOCK_H
#define MAZU_SPINLOCK_H

#include <arch/cpu.h>
#include <mazu/config.h>
#include <mazu/locks.h>
#include <mazu/preempt.h>
#include <mazu/types.h>

struct spinlock {
	enum lock_rank rank;
	bool held;
};

#define SPINLOCK_INIT(rank_)                                                                       \
	{                                                                                          \
		.rank = (rank_)                                                                    \
	}

/* The checks (CONFIG_LOCK_DEBUG). */
void spin_check_take(struct spinlock *lock);
void spin_check_release(struct spinlock *lock);
void spin_check_held(const struct spinlock *lock);

/* Returns whether interrupts were on, for the matching unlock. */
static inline bool spin_lock_irqsave(struct spinlock *lock)
{
	bool irqs = arch_irq_save();

	if (irqs)
		latency_irq_off(this_cpu());
	if (IS_ENABLED(CONFIG_LOCK_DEBUG))
		spin_check_take(lock);
	return irqs;
}

/* Where interrupts come on again, a switch that became due meanwhile is made. */
static inline void spin_unlock_irqrestore(struct spinlock *lock, bool irqs)
{
	if (IS_ENABLED(CONFIG_LOCK_DEBUG))
		spin_check_release(lock);
	if (irqs) {
		latency_irq_on(this_cpu());
		arch_irq_restore(true);
		if (IS_ENABLED(CONFIG_SCHED) && unlikely(preempt_is_due(this_cpu())))
			preempt_now();
	}
}

/* Where interrupts are off already, and stay off. */
static inline void spin_lock_irqs_off(struct spinlock *lock)
{
	if (IS_ENABLED(CONFIG_LOCK_DEBUG))
		spin_check_take(lock);
}

static inline void spin_unlock_irqs_off(struct spinlock *lock)
{
	if (IS_ENABLED(CONFIG_LOCK_DEBUG))
		spin_check_release(lock);
}

/* For locks that no interrupt handler takes: interrupts stay on, only other tasks are kept out. */
static inline void spin_lock(struct spinlock *lock)
{
	preempt_disable();
	if (IS_ENABLED(CONFIG_LOCK_DEBUG))
		spin_check_take(lock);
}

static inline void spin_unlock(struct spinlock *lock)
{
	if (IS_ENABLED(CONFIG_LOCK_DEBUG))
		spin_check_release(lock);
	preempt_enable();
}

/* For functions that end in _locked: panics unless the lock is held. */
static inline void spin_assert_held(const struct spinlock *lock)
{
	if (IS_ENABLED(CONFIG_LOCK_DEBUG))
		spin_check_held(lock);
}

#endif
