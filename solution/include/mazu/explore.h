/*
 * explore.h - other interleavings of the harts, each of them repeatable.
 *
 * An emulator that counts instructions gives its harts long turns, so two of them hardly ever meet in the
 * middle of anything. A turn ends where any hart's timer is due. Booted with seed=N, each hart therefore has its
 * timer interrupt it after 2 to 65 ticks, again and again, by a random sequence that begins with N: turns end
 * anywhere, and one seed always gives the same run. What is due happens at its own moment all the same.
 *
 * There is more to it than variety: such an emulator gives the turn to the next hart only when the running one sleeps or
 * sets its timer. One that merely waits for another, here or in the firmware, may wait for ever. So every loop of
 * ours that waits for a hart sets the timer (explore_relax), and nothing waits in the firmware. Who
 * counts instructions on several harts has to give a seed.
 *
 * Where harts are threads of a host that has fewer cores, it is the host that gives turns, and long ones: who holds a
 * ticket lock, or is the next to get it, may have to wait for all those who spin for it. Booted with `overcommit`, a hart
 * that spins therefore sleeps for a moment now and then. This is nothing for real harts.
 *
 * Configured out (CONFIG_EXPLORE), or without a seed, there is nothing of this.
 */
#ifndef MAZU_EXPLORE_H
#define MAZU_EXPLORE_H

#include <mazu/config.h>
#include <mazu/pcpu.h>
#include <mazu/types.h>

void explore_init_hart(void);

/* A random moment from now, or `latest_ticks` if that is sooner. */
u64 explore_random_moment(u64 latest_ticks);

static inline bool explore_is_on(void)
{
	return IS_ENABLED(CONFIG_EXPLORE) && unlikely(this_cpu()->explore);
}

/* When the hardware is to interrupt this hart that wants to be woken at `ticks`. Interrupts off. */
static inline u64 explore_moment(u64 ticks)
{
	return explore_is_on() ? explore_random_moment(ticks) : ticks;
}

/*
 * This hart waits for another, perhaps with interrupts off, so nobody writes its timer: its turn ends soon
 * nevertheless. It is interrupted for nothing afterwards, which sets the timer right.
 */
void explore_end_turn(void);

/* The boot asked for naps. Const after the boot hart's beginning. */
extern bool explore_naps;

/* This hart has spun once more, and sleeps for a tenth of a millisecond if that was often. */
void explore_nap(void);

/* To be done where a hart spins. */
static inline void explore_relax(void)
{
	if (explore_is_on())
		explore_end_turn();
	else if (IS_ENABLED(CONFIG_EXPLORE) && unlikely(explore_naps))
		explore_nap();
}

#endif
