/*
 * lockdep.h - whether locks are used as they should be, told before two harts meet and stand still.
 *
 * A deadlock needs bad luck; what makes it possible does not. So debug builds remember, for each pair of kinds of
 * locks, who was the first to take the one while holding the other, and for each kind whether it was ever
 * taken in an interrupt, and with interrupts on. Whoever does what does not go together with that is
 * reported at once, with both ways: locks taken in a circle, or against their ranks (locks.h); one that is held
 * with interrupts on and taken in an interrupt; one that its own hart holds; waiting, or ending, while one is
 * held. Then the machine stops.
 *
 * A kind (class) is a row of the table in locks.h. Without CONFIG_LOCKDEP (one hart) neither circles nor interrupts are looked
 * for, as nobody could wait for ever; without CONFIG_LOCK_DEBUG nothing is, and nothing costs anything.
 */
#ifndef MAZU_LOCKDEP_H
#define MAZU_LOCKDEP_H

#include <mazu/config.h>
#include <mazu/locks.h>
#include <mazu/types.h>

struct spinlock;

/* The rows of the table. */
enum lock_class {
#define LOCK_CLASS(name, rank, irq, hold, what) LOCK_CLASS_##name,
	LOCK_TABLE(LOCK_CLASS)
#undef LOCK_CLASS
		LOCK_CLASSES
};
static_assert(LOCK_CLASSES <= 32, "a word has a bit for each class");

/*
 * Whether class `to` was ever taken while `from` was held, or while one was held that was taken while `from` was, and so on. Bit c
 * of after[a]: c was taken while a was held. Bounded by the classes. The hole lockdep_check.c.
 */
bool lockdep_follows(const u32 after[LOCK_CLASSES], enum lock_class from, enum lock_class to);

/* What could come while a lock is held. */
enum lock_context {
	LOCK_IN_INTERRUPT, /* its holder is a handler of an interrupt, whether others may come or not */
	LOCK_INTERRUPTIBLE, /* it is not, and interrupts are on */
	LOCK_SHIELDED,	    /* it is not, and they are off */
	LOCK_CONTEXTS
};

/* In which a lock is taken. The hole lockdep_context.c. */
enum lock_context lockdep_context(bool in_interrupt, bool irqs_on);

/*
 * Whether taking `class` in `context` makes a deadlock possible with the ways in which it was taken before. Bit c of
 * seen[x]: class c was taken in context x. The hole lockdep_context.c.
 */
bool lockdep_conflicts(const u32 seen[LOCK_CONTEXTS], enum lock_class class,
		       enum lock_context context);

/* The running task is about to wait, or to end (what): it holds no lock. */
void lockdep_check_free(const char *what);
static inline void lockdep_may_wait(void)
{
	if (IS_ENABLED(CONFIG_LOCK_DEBUG))
		lockdep_check_free("waits");
}

/* A handler of an interrupt begins and ends. Interrupts off. */
void lockdep_interrupt(bool begins);
static inline void lockdep_interrupt_begin(void)
{
	if (IS_ENABLED(CONFIG_LOCK_DEBUG))
		lockdep_interrupt(true);
}
static inline void lockdep_interrupt_end(void)
{
	if (IS_ENABLED(CONFIG_LOCK_DEBUG))
		lockdep_interrupt(false);
}

#endif
