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
	/*
	 * Draw a ticket: lock->next goes up by one, and what it was is your number
	 * (atomic_add_relaxed returns what was there before). If that is not being served yet,
	 * spin_wait(lock, number) waits until it is. Look at lock->serving so that nothing that
	 * comes behind can happen before the look (atomic_load_acquire). No other field is
	 * yours.
	 */
	LAB_TODO(4, 1);
}

void ticket_unlock(struct spinlock *lock)
{
	/*
	 * Serve the next: lock->serving goes up by one. Everything that was done under the lock
	 * must be visible before (a release). Only the holder writes that field; what it writes
	 * must become visible to the others in one piece.
	 */
	LAB_TODO(4, 1);
}
/* mazu: lab 4 interface 6b6ef5eb0f94 */
