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
	/*
	 * Which of the three contexts of lockdep.h this is. A handler is a handler, whether
	 * interrupts are on or off in it.
	 */
	LAB_TODO(4, 2);
}

bool lockdep_conflicts(const u32 seen[LOCK_CONTEXTS], enum lock_class class,
		       enum lock_context context)
{
	/*
	 * True if the class was taken before (bit `class` of the words of `seen`) in a context
	 * in which an interrupt could have come and waited for this holder, or this holder is
	 * such an interrupt. What is shielded harms nobody.
	 */
	LAB_TODO(4, 2);
}
/* mazu: lab 4 interface ab5a95e05768 */
