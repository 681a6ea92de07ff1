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
	i32 now = (i32)(queued * BALANCE_ONE), before = (i32)load;

	return (u32)(before + (now - before) / BALANCE_STEPS);
}

u32 balance_receiver(const u32 loads[CONFIG_CPU_MAX], u64 harts, u32 load)
{
	u32 found = BALANCE_NOBODY;

	for_each_hart(hart, harts)
	{
		if (loads[hart] + BALANCE_ONE + BALANCE_ONE / 2 > load)
			continue;
		if (found == BALANCE_NOBODY || loads[hart] < loads[found])
			found = (u32)hart;
	}
	return found;
}
