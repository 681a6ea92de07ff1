/*
 * Waiting for a lock that another hart has: the slow path of spinlock.h.
 *
 * A wait ends: whoever holds a lock has interrupts or preemption off, and locks.h says for how long. In a
 * debug build one that does not is a bug to report, with who waits and who was waited for. While the kernel
 * panics, locks no longer count for who reports it; all others stop where they are.
 */
#include <arch/cpu.h>
#include <mazu/atomic.h>
#include <mazu/panic.h>
#include <mazu/smp.h>
#include <mazu/spinlock.h>
#include <mazu/time.h>

#ifdef CONFIG_LOCK_STUCK_MS
#define STUCK_MS CONFIG_LOCK_STUCK_MS
#else
#define STUCK_MS 0UL
#endif

/* The wait is longer than any that is right. */
static bool is_stuck(u64 since)
{
	return IS_ENABLED(CONFIG_LOCK_DEBUG) &&
	       time_ticks() - since > time_ticks_for(STUCK_MS * NS_PER_MS);
}

/* Pairs with ticket_unlock(). */
void spin_wait(struct spinlock *lock, u64 ticket)
{
	u64 since = time_ticks();

	atomic_add_relaxed(&this_cpu()->lock_waits, 1); /* a handler may wait, too */
	while (atomic_load_acquire(&lock->serving) != ticket) {
		if (unlikely(panic_in_progress()) && panic_is_mine())
			return;
		if (unlikely(panic_in_progress()))
			hart_stop(NULL);
		if (unlikely(is_stuck(since)))
			spin_check_stuck(lock);
		spin_relax();
	}
}
