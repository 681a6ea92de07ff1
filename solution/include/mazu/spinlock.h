/*
 * spinlock.h - mutual exclusion for a few hundred instructions, interrupts off.
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

	if (IS_ENABLED(CONFIG_LOCK_DEBUG))
		spin_check_take(lock);
	return irqs;
}

static inline void spin_unlock_irqrestore(struct spinlock *lock, bool irqs)
{
	if (IS_ENABLED(CONFIG_LOCK_DEBUG))
		spin_check_release(lock);
	arch_irq_restore(irqs);
}

/* For functions that end in _locked: panics unless the lock is held. */
static inline void spin_assert_held(const struct spinlock *lock)
{
	if (IS_ENABLED(CONFIG_LOCK_DEBUG))
		spin_check_held(lock);
}

#endif
