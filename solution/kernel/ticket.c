/*
 * The ticket lock: who came first is served first.
 *
 * Two numbers: the one that is being served, and the next to be drawn. Equal: the lock is free. To take it is to
 * draw a number and to wait until that is served; to release it is to serve the next. So nobody waits for
 * more than one turn of each other hart, whatever the memory system does: a lock that is merely grabbed
 * can be grabbed by the same hart for ever. Neither number ever comes again.
 *
 * Order: the look that finds the own number served is an acquire, and its partner is the release that serves
 * it. What the holder before us wrote in its section is there in ours, and nothing of ours is done before it
 * is our turn. Drawing orders nothing: a number that is not served yet is no right to anything.
 *
 * Included by spinlock.h, where both functions are inline; a file of its own where CONFIG_LOCK_INLINE is off.
 *
 * Source: J. Mellor-Crummey, M. Scott, "Algorithms for scalable synchronization on shared-memory
 * multiprocessors", 1991, section 2.2.
 */
#include <mazu/atomic.h>
#include <mazu/spinlock.h>

void ticket_lock(struct spinlock *lock)
{
	u64 mine = atomic_add_relaxed(&lock->next, 1);

	if (unlikely(atomic_load_acquire(&lock->serving) != mine))
		spin_wait(lock, mine);
}

void ticket_unlock(struct spinlock *lock)
{
	atomic_add_release(&lock->serving, 1);
}
