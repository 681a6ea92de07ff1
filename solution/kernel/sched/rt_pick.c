/*
 * Which fixed priority is next.
 *
 * One list a priority, and one bit for each list that is not empty. Finding the most urgent is finding
 * a bit, so it takes the same few instructions for one task and for a thousand: the priorities are
 * numbered backwards in the word, because a machine without an instruction for it finds the lowest
 * bit faster than the highest.
 *
 * Of equals the one that has been in the list longest runs; a task that is preempted stays at the front.
 */
#include <mazu/bits.h>

#include "runqueue.h"

struct task *rt_pick(const struct rt_queue *rt)
{
	u32 bit;

	if (!rt->ready)
		return NULL;
	bit = bit_lowest(rt->ready);
	return container_of(rt->lists[CONFIG_SCHED_NPRIO - 1 - bit].next, struct task, rt.link);
}
