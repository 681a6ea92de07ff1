/*
 * Locks in a circle.
 *
 * "b was taken while a was held" is an edge from a to b. As long as the edges have no circle there is an order of
 * all locks that everybody keeps to, and nobody can wait for each other. An edge from a to b closes one
 * exactly if there is a way from b to a already: by one edge, or by way of others.
 *
 * The way is searched breadth first: classes that were reached and not looked at yet are bits of a word; each is
 * looked at once.
 */
#include <mazu/bits.h>
#include <mazu/lockdep.h>

bool lockdep_follows(const u32 after[LOCK_CLASSES], enum lock_class from, enum lock_class to)
{
	u32 reached = after[from], looked_at = 0;

	while (reached & ~looked_at) {
		u32 class = bit_lowest(reached & ~looked_at);

		looked_at |= 1U << class;
		reached |= after[class];
	}
	return reached >> to & 1;
}
