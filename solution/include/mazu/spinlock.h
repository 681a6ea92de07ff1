/*
 * spinlock.h - mutual exclusion for a few hundred instructions.
 *
 *	bool irqs = spin_lock_irqsave(&klog_lock);
 *	...
 *	spin_unlock_irqrestore(&klog_lock, irqs);
 *
 * With one hart (up to stage 3, or without CONFIG_SMP) interrupts or preemption are off, so nobody else can
 * be inside, and nothing is left of the lock itself. With several it is a ticket lock (kernel/ticket.c), on which
 * the other harts spin.
 *
 * Debug builds check each use (CONFIG_LOCK_DEBUG): that who takes a lock does not have it, that ranks
 * are in order (locks.h), that functions which need it have it, that a wait ends.
 */
#ifndef MAZU_SPINLOCK_H
#define MAZU_SPINLOCK_H

#include <arch/cpu.h>
#include <mazu/config.h>
#include <mazu/explore.h>
#include <mazu/locks.h>
#include <mazu/preempt.h>
#include <mazu/types.h>

struct spinlock {
	u64 next, serving;   /* ticket.c */
	enum lock_rank rank; /* const */
	u32 holder;	     /* debug builds: the hart that has it, its index plus 1; 0: none */
};

#define SPINLOCK_INIT(rank_)                                                                       \
	{                                                                                          \
		.rank = (rank_)                                                                    \
	}

/* The checks (CONFIG_LOCK_DEBUG): before it is taken, when it was, before it is released, while it is held. */
void spin_check_take(const struct spinlock *lock);
void spin_check_taken(struct spinlock *lock);
void spin_check_release(struct spinlock *lock);
void spin_check_held(const struct spinlock *lock);
/* It was waited for longer than any lock may be held: reports who waits and who has it. */
void spin_check_stuck(const struct spinlock *lock) __noreturn;

extern enum lock_rank lock_left_out; /* const after the boot's beginning; 0: none */

/* Whether this class is left out, to see that a test notices: `unlocked=NAME` at the boot of a debug build. */
static inline bool spin_is_left_out(const struct spinlock *lock)
{
	return IS_ENABLED(CONFIG_LOCK_DEBUG) && unlikely(lock->rank == lock_left_out);
}

/* One turn of a loop that waits for another hart. */
static inline void spin_relax(void)
{
	arch_relax();
	explore_relax();
}

/* Until `ticket` is served. What comes behind it happens behind what the holder before did. */
void spin_wait(struct spinlock *lock, u64 ticket);

#ifdef CONFIG_LOCK_INLINE
static inline void ticket_lock(struct spinlock *lock);
static inline void ticket_unlock(struct spinlock *lock);
#include "../../kernel/ticket.c" /* it includes this file, to no effect */
#else
void ticket_lock(struct spinlock *lock);
void ticket_unlock(struct spinlock *lock);
#endif

/* Interrupts or preemption are off. */
static inline void spin_take(struct spinlock *lock)
{
	if (spin_is_left_out(lock))
		return;
	if (IS_ENABLED(CONFIG_LOCK_DEBUG))
		spin_check_take(lock);
	if (IS_ENABLED(CONFIG_SMP))
		ticket_lock(lock);
	if (IS_ENABLED(CONFIG_LOCK_DEBUG))
		spin_check_taken(lock);
}

static inline void spin_release(struct spinlock *lock)
{
	if (spin_is_left_out(lock))
		return;
	if (IS_ENABLED(CONFIG_LOCK_DEBUG))
		spin_check_release(lock);
	if (IS_ENABLED(CONFIG_SMP))
		ticket_unlock(lock);
}

/* Interrupts go off, as for a lock that is taken next: one that is found by this_cpu(). */
static inline bool spin_irqsave(void)
{
	bool irqs = arch_irq_save();

	if (irqs)
		latency_irq_off(this_cpu());
	return irqs;
}

/* Returns whether interrupts were on, for the matching unlock. */
static inline bool spin_lock_irqsave(struct spinlock *lock)
{
	bool irqs = spin_irqsave();

	spin_take(lock);
	return irqs;
}

/* Where interrupts come on again, a switch that became due meanwhile is made. */
static inline void spin_irqrestore(bool irqs)
{
	if (irqs) {
		latency_irq_on(this_cpu());
		arch_irq_restore(true);
		if (IS_ENABLED(CONFIG_SCHED) && unlikely(preempt_is_due(this_cpu())))
			preempt_now();
	}
}

static inline void spin_unlock_irqrestore(struct spinlock *lock, bool irqs)
{
	spin_release(lock);
	spin_irqrestore(irqs);
}

/* Where interrupts are off already, and stay off. */
static inline void spin_lock_irqs_off(struct spinlock *lock)
{
	spin_take(lock);
}

static inline void spin_unlock_irqs_off(struct spinlock *lock)
{
	spin_release(lock);
}

/* For locks that no interrupt handler takes: interrupts stay on, only other tasks are kept out. */
static inline void spin_lock(struct spinlock *lock)
{
	preempt_disable();
	spin_take(lock);
}

static inline void spin_unlock(struct spinlock *lock)
{
	spin_release(lock);
	preempt_enable();
}

/* For functions that end in _locked: panics unless the lock is held. */
static inline void spin_assert_held(const struct spinlock *lock)
{
	if (IS_ENABLED(CONFIG_LOCK_DEBUG))
		spin_check_held(lock);
}

#endif
