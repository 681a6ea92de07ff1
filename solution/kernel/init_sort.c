/*
 * The order of start-up: Kahn's topological sort.
 *
 * A node may come when nothing it waits for is missing any more. So count, for each node, what
 * it waits for; those with nothing to wait for may come at once; each node that comes takes one
 * off the count of every node that waited for it. The output is the queue: what stands in
 * `order` behind the node in hand is free to come and has not come yet.
 *
 * Nodes on a cycle, and those behind one, wait for ever and never enter the queue: that is how a
 * cycle is noticed. Which one it is, and what to say, is the caller's business (init.c).
 *
 * Bounded by count * count * INIT_DEPENDENCIES_MAX steps; no memory but one small array.
 *
 * Source: A. B. Kahn, "Topological sorting of large networks", CACM 5(11), 1962.
 */
#include <mazu/init.h>

size_t init_sort(const struct init_node *nodes, size_t count, u16 *order)
{
	u16 waits_for[INIT_TASKS_MAX];
	size_t freed = 0;

	for (size_t i = 0; i < count; i++) {
		waits_for[i] = nodes[i].dependency_count;
		if (waits_for[i] == 0)
			order[freed++] = (u16)i;
	}
	for (size_t next = 0; next < freed; next++)
		for (size_t i = 0; i < count; i++)
			for (size_t d = 0; d < nodes[i].dependency_count; d++)
				if (nodes[i].dependencies[d] == order[next] && --waits_for[i] == 0)
					order[freed++] = (u16)i;
	return freed;
}
