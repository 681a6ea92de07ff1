/*
 * Start-up order: the sort, and what the running kernel made of it.
 */
#include <mazu/init.h>
#include <mazu/selftest.h>

#define NODE(...)                                                                                  \
	{                                                                                          \
		.dependency_count = sizeof((u16[]){ __VA_ARGS__ }) / 2, .dependencies = {          \
			__VA_ARGS__                                                                \
		}                                                                                  \
	}
#define FREE                                                                                       \
	{                                                                                          \
		0                                                                                  \
	}

static size_t place(const u16 *order, size_t count, u16 node)
{
	for (size_t i = 0; i < count; i++)
		if (order[i] == node)
			return i;
	return count;
}

static bool respects_dependencies(const struct init_node *nodes, size_t count, const u16 *order)
{
	for (u16 i = 0; i < count; i++)
		for (size_t d = 0; d < nodes[i].dependency_count; d++)
			if (place(order, count, nodes[i].dependencies[d]) >= place(order, count, i))
				return false;
	return true;
}

SELFTEST(init_sort_none, "no nodes make an empty order")
{
	u16 order[1];

	CHECK_EQ(t, init_sort(NULL, 0, order), 0);
}

SELFTEST(init_sort_diamond, "every node comes after what it depends on")
{
	static const struct init_node nodes[] = { NODE(1, 2), NODE(3), NODE(3), FREE };
	u16 order[4];

	CHECK_EQ(t, init_sort(nodes, 4, order), 4);
	CHECK(t, respects_dependencies(nodes, 4, order));
}

SELFTEST(init_sort_stable, "independent nodes keep the order of their numbers")
{
	static const struct init_node nodes[] = { FREE, FREE, FREE, FREE };
	u16 order[4];

	REQUIRE(t, init_sort(nodes, 4, order) == 4);
	for (u16 i = 0; i < 4; i++)
		CHECK_EQ(t, order[i], i);
}

SELFTEST(init_sort_cycle, "nodes on a cycle and behind it stay out, the others come")
{
	static const struct init_node nodes[] = {
		FREE, NODE(2), NODE(3), NODE(1), NODE(3), NODE(0)
	};
	u16 order[6];

	REQUIRE(t, init_sort(nodes, 6, order) == 2);
	CHECK_EQ(t, order[0], 0);
	CHECK_EQ(t, order[1], 5);
}

SELFTEST(init_sort_self, "a node that depends on itself stays out")
{
	static const struct init_node nodes[] = { NODE(0) };
	u16 order[1];

	CHECK_EQ(t, init_sort(nodes, 1, order), 0);
}

SELFTEST(init_sort_repeated, "a dependency that is named twice counts once it is there")
{
	static const struct init_node nodes[] = { NODE(1, 1), FREE };
	u16 order[2];

	REQUIRE(t, init_sort(nodes, 2, order) == 2);
	CHECK_EQ(t, order[0], 1);
}

SELFTEST(init_sort_chain, "a chain of the greatest length, last first, is turned round")
{
	static struct init_node nodes[INIT_TASKS_MAX];
	u16 order[INIT_TASKS_MAX];

	for (u16 i = 0; i + 1 < INIT_TASKS_MAX; i++)
		nodes[i] = (struct init_node){ 1, { i + 1 } };
	REQUIRE(t, init_sort(nodes, INIT_TASKS_MAX, order) == INIT_TASKS_MAX);
	for (u16 i = 0; i < INIT_TASKS_MAX; i++)
		CHECK_EQ(t, order[i], INIT_TASKS_MAX - 1 - i);
}

SELFTEST(init_tasks_all_done, "every task of this kernel ran and succeeded")
{
	struct init_status status;

	for (size_t i = 0; !init_status(i, &status); i++)
		CHECK_STR_EQ(t, status.state == INIT_DONE ? STR("done") : status.task->name,
			     STR("done"));
}
