/*
 * spinlock.h - mutual exclusion for a few hundred instructions, interrupts off.
 *
 *	bool irqs = spin_lock_irqsave(&klog_lock);
 *	...
 *	spin_unlock_irqrestore(&klog_lock, irqs);
 *
 * Up to stage 3 the kernel runs on one hart: with interrupts off nobody else can be inside, so a
 * lock that is found taken was taken by ourselves, which is a bug and panics. Stage 4
 * gives the same functions something to spin on.
 *
 * Debug builds keep, per hart, the ranks that are held, and check their order (locks.h).
 */
#ifndef MAZU_SPINLOCK_H
#define MAZU_SPINLOCK_H

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

/* Returns whether interrupts were on, for the matching unlock. */
bool spin_lock_irqsave(struct spinlock *lock);
void spin_unlock_irqrestore(struct spinlock *lock, bool irqs);

/* For functions that end in _locked: panics unless the lock is held. */
void spin_assert_held(const struct spinlock *lock);

#endif
