/*
 * seqlock.h - data that is read often, written seldom, and larger than a word.
 *
 * Readers write nothing, so they disturb nobody: they copy the data and look whether it was written meanwhile, by a
 * number that is odd while it is. Then they copy it again. A writer never waits either: while another writes, it does not
 * get the right to. It has interrupts off, or an interrupt that reads would wait for the hart that it interrupted.
 *
 *	do {
 *		turn = seqlock_read(&lock);
 *		... copy, by READ_ONCE(); do not follow pointers ...
 *	} while (seqlock_changed(&lock, turn));
 *
 * Bounded: a reader waits for one writer at a time, who has interrupts off; how often it copies depends on how
 * seldom the data is written.
 *
 * Order: seqlock_read()'s acquire is paired with seqlock_write_end()'s release: who finds an even number finds what
 * was written before. The acquire in seqlock_changed() is paired with the release in seqlock_write(): who copied
 * something of the next writer's finds that one's odd number.
 *
 * Source: H. Boehm, "Can seqlocks get along with programming language memory models?", MSPC 2012.
 */
#ifndef MAZU_SEQLOCK_H
#define MAZU_SEQLOCK_H

#include <mazu/atomic.h>
#include <mazu/spinlock.h>

/* All zero: nobody writes. */
struct seqlock {
	u64 turn; /* atomic; odd: somebody writes */
};

static inline u64 seqlock_read(const struct seqlock *lock)
{
	u64 turn;

	while (unlikely((turn = atomic_load_acquire(&lock->turn)) & 1))
		spin_relax();
	return turn;
}

/* What was copied since seqlock_read() said `turn` may be of two writers. */
static inline bool seqlock_changed(const struct seqlock *lock, u64 turn)
{
	atomic_fence_acquire();
	return unlikely(atomic_load_relaxed(&lock->turn) != turn);
}

/* False: somebody else writes. Interrupts off until seqlock_write_end(). */
static inline bool __must_check seqlock_write(struct seqlock *lock)
{
	u64 turn = atomic_load_relaxed(&lock->turn);

	if (turn & 1 || !atomic_compare_exchange_acquire(&lock->turn, turn, turn + 1))
		return false;
	atomic_fence_release();
	return true;
}

static inline void seqlock_write_end(struct seqlock *lock)
{
	atomic_store_release(&lock->turn, atomic_load_relaxed(&lock->turn) + 1);
}

#endif
