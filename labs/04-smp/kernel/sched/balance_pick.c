/*
 * What a hart had to do lately, and who is to have some of it.
 *
 * The average is exponential: each look moves it an eighth of the way towards what is queued now, so it follows a
 * change within some eight looks, and a crowd that is gone at the next look hardly moves it.
 *
 * A difference of less than one task and a half is left: after giving one away the receiver would have
 * more than the giver, or as good as, and would give it back.
 *
 * Called at each look of balance.c; numbers in, a number out.
 */
#include "runqueue.h"

u32 balance_average(u32 load, u32 queued)
{
	/*
	 * The load that is nearer to what is queued now (BALANCE_ONE a task) by one
	 * BALANCE_STEPS-th of the way, in either direction. What is less than a unit is
	 * dropped. Mind the signs: the numbers are unsigned, a difference may not be.
	 */
	LAB_TODO(4, 5);
}

u32 balance_receiver(const u32 loads[CONFIG_CPU_MAX], u64 harts, u32 load)
{
	/*
	 * Of the harts in `harts` the one with the least load, the first one of equals, if it
	 * has less than `load` by one and a half BALANCE_ONE, or more; else BALANCE_NOBODY.
	 * Entries of loads[] for other harts mean nothing. for_each_hart goes through a mask.
	 */
	LAB_TODO(4, 5);
}
/* mazu: lab 4 interface 2238c53e67c2 */
