/*
 * What makes a deadlock possible: circles of locks, and contexts that do not go together. Pure functions; what is done
 * with their answers is seen by crash lock-*.
 */
#include <mazu/lockdep.h>
#include <mazu/selftest.h>

SELFTEST(lockdep_circle, "a class follows another by one edge or many, and itself only in a circle")
{
	u32 after[LOCK_CLASSES] = { 0 };

	for (u32 i = 0; i + 1 < LOCK_CLASSES; i++)
		after[i] = 1U << (i + 1);
	CHECK(t, lockdep_follows(after, 0, LOCK_CLASSES - 1));
	CHECK(t, lockdep_follows(after, 0, 1));
	CHECK(t, !lockdep_follows(after, 1, 0));
	CHECK(t, !lockdep_follows(after, 1, 1));
	after[LOCK_CLASSES - 1] = 1;
	CHECK(t, lockdep_follows(after, 1, 0));
	CHECK(t, lockdep_follows(after, 1, 1));
}

SELFTEST(lockdep_contexts,
	 "handlers and interruptible holders do not share a class, shielded ones harm nobody")
{
	const u32 seen[LOCK_CONTEXTS] = {
		[LOCK_IN_INTERRUPT] = 1, [LOCK_INTERRUPTIBLE] = 2, [LOCK_SHIELDED] = 7
	};

	CHECK_EQ(t, lockdep_context(true, true), LOCK_IN_INTERRUPT);
	CHECK_EQ(t, lockdep_context(false, true), LOCK_INTERRUPTIBLE);
	CHECK_EQ(t, lockdep_context(false, false), LOCK_SHIELDED);
	CHECK(t, lockdep_conflicts(seen, 0, LOCK_INTERRUPTIBLE));
	CHECK(t, !lockdep_conflicts(seen, 0, LOCK_IN_INTERRUPT));
	CHECK(t, lockdep_conflicts(seen, 1, LOCK_IN_INTERRUPT));
	CHECK(t, !lockdep_conflicts(seen, 1, LOCK_SHIELDED));
	CHECK(t, !lockdep_conflicts(seen, 2, LOCK_INTERRUPTIBLE));
}
