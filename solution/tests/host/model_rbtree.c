/*
 * model_rbtree.c - trees against the sorted array: long random lives, all of it compared after each
 * change.
 */
#include "../lib/rbtree_model.h"
#include "random.h"

#include <mazu/selftest.h>

static struct rb_pair pair;

static void random_life(struct selftest *t, u64 seed, u32 nodes, bool summary)
{
	rb_pair_init(&pair, summary);
	for (u32 i = 0; i < 20000; i++) {
		u64 random = random_u64(&seed);

		rb_pair_step(&pair, random - random % MODEL_NODES + random % nodes);
		REQUIRE(t, rb_pair_agrees(&pair));
	}
}

SELFTEST(model_rbtree_random, "random changes of trees of 3 to 256: all rules after each")
{
	static const u32 sizes[] = { 3, 7, 20, 64, 256 };

	for (u32 i = 0; i < ARRAY_SIZE(sizes); i++) {
		random_life(t, 51 + i, sizes[i], false);
		random_life(t, 61 + i, sizes[i], true);
	}
}

/* As a queue of timers lives: the first goes, and comes again a random while later. */
SELFTEST(model_rbtree_timers, "100 timers that expire and are set again 50000 times")
{
	u64 seed = 71, now = UINT64_MAX - 1000000;

	rb_pair_init(&pair, true);
	for (u32 i = 0; i < 100; i++)
		rb_pair_insert(&pair, i, now + random_below(&seed, 5000), i);
	for (u32 i = 0; i < 50000; i++) {
		u32 first = pair.order[0];

		REQUIRE(t, rb_first(&pair.tree) == &pair.items[first].node);
		REQUIRE(t, !rb_before(pair.items[first].node.key, now));
		now = pair.items[first].node.key;
		rb_pair_remove(&pair, first);
		REQUIRE(t, rb_pair_agrees(&pair));
		rb_pair_insert(&pair, first, now + random_below(&seed, 5000), random_u64(&seed));
		REQUIRE(t, rb_pair_agrees(&pair));
	}
}

/* What a balanced tree is for: the levels that a search goes through. */
static u32 depth_of(const struct rb_node *node)
{
	u32 left, right;

	if (!node)
		return 0;
	left = depth_of(node->left);
	right = depth_of(node->right);
	return 1 + MAX(left, right);
}

SELFTEST(model_rbtree_depth, "never deeper than 2 log2(n + 1), in the worst orders too")
{
	for (u32 way = 0; way < 3; way++) {
		u64 seed = 81;

		rb_pair_init(&pair, false);
		for (u32 i = 0; i < 255; i++) {
			u64 key = way == 0 ? i : way == 1 ? 255 - i : random_below(&seed, 1000);

			rb_pair_insert(&pair, i, key, 0);
		}
		for (u32 i = 0; i < 128; i++)
			rb_pair_remove(&pair, way == 2 ? i : 2 * i % 255);
		REQUIRE(t, rb_pair_agrees(&pair));
		CHECK(t, depth_of(pair.tree.root) <= 14); /* 127 nodes are left */
	}
}
