/*
 * Locks that an interrupt shares with whom it interrupts.
 *
 * A hart that holds a lock with interrupts on can be interrupted by a handler that waits for that lock: for ever, as
 * who would release it is below. So the locks of a class are taken by handlers, or with interrupts on, or neither, but
 * never both: it need not happen at the same moment to be a bug.
 */
#include <mazu/lockdep.h>

enum lock_context lockdep_context(bool in_interrupt, bool irqs_on)
{
	if (in_interrupt)
		return LOCK_IN_INTERRUPT;
	return irqs_on ? LOCK_INTERRUPTIBLE : LOCK_SHIELDED;
}

bool lockdep_conflicts(const u32 seen[LOCK_CONTEXTS], enum lock_class class,
		       enum lock_context context)
{
	if (context == LOCK_SHIELDED)
		return false;
	return seen[context == LOCK_IN_INTERRUPT ? LOCK_INTERRUPTIBLE : LOCK_IN_INTERRUPT] >> class &
	       1;
}
