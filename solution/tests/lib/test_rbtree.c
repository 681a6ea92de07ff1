/*
 * test_rbtree.c - criteria for rbtree.h and bits.h.
 *
 * Every way to build and to empty a tree of up to five is tried; longer lives are random, and longer
 * still on the host (tests/host/model_rbtree.c).
 */
#include "rbtree_model.h"

#include <mazu/bits.h>
#include <mazu/selftest.h>

static struct rb_pair pair;

SELFTEST(bits_lowest, "the lowest bit is found for each bit, whatever is set above it")
{
	for (u32 bit = 0; bit < 64; bit++) {
		CHECK_EQ(t, bit_lowest(1UL << bit), bit);
		CHECK_EQ(t, bit_lowest(UINT64_MAX << bit), bit);
		CHECK_EQ(t, bit_lowest(1UL << 63 | 1UL << bit), bit);
	}
}

SELFTEST(rbtree_empty, "a tree of zeros is empty, and a node of zeros is in none")
{
	struct rb_tree tree = { 0 };
	struct rb_node node = { 0 };

	CHECK(t, !rb_first(&tree));
	CHECK(t, !rb_is_queued(&node));
	rb_insert(&tree, &node);
	CHECK(t, rb_is_queued(&node) && rb_first(&tree) == &node && !rb_next(&node));
	rb_remove(&tree, &node);
	CHECK(t, !rb_is_queued(&node) && !rb_first(&tree) && !tree.root);
}

/* Permutation `number` of 0..count-1, by Lehmer's code. */
static void permutation(u32 number, u32 count, u32 *out)
{
	for (u32 i = 0; i < count; i++)
		out[i] = i;
	for (u32 i = count; i > 1; i--) {
		u32 other = number % i, kept = out[other];

		number /= i;
		out[other] = out[i - 1];
		out[i - 1] = kept;
	}
}

static bool life_agrees(const u32 *in, const u32 *out, u32 count, bool summary)
{
	rb_pair_init(&pair, summary);
	for (u32 i = 0; i < count; i++) {
		rb_pair_insert(&pair, in[i], in[i] / 2 * 10, 100 - in[i]);
		if (!rb_pair_agrees(&pair))
			return false;
	}
	for (u32 i = 0; i < count; i++) {
		rb_pair_remove(&pair, out[i]);
		if (!rb_pair_agrees(&pair))
			return false;
	}
	return true;
}

static void all_lives(struct selftest *t, u32 count, u32 permutations)
{
	u32 in[MODEL_NODES], out[MODEL_NODES];

	for (u32 i = 0; i < permutations; i++)
		for (u32 j = 0; j<permutations; j += count> 4 ? 7 : 1) {
			permutation(i, count, in);
			permutation(j, count, out);
			REQUIRE(t, life_agrees(in, out, count, (i ^ j) & 1));
		}
}

SELFTEST(rbtree_every_small, "trees of up to five keep all rules in any order of coming and going")
{
	u32 permutations = 1;

	for (u32 count = 1; count <= 5; count++) {
		permutations *= count;
		all_lives(t, count, permutations);
	}
}

SELFTEST(rbtree_equal, "equal keys stay in the order in which they came, also after a removal")
{
	rb_pair_init(&pair, false);
	for (u32 i = 0; i < 40; i++)
		rb_pair_insert(&pair, i, 7, 0);
	CHECK(t, rb_pair_agrees(&pair));
	rb_pair_remove(&pair, 0);
	rb_pair_insert(&pair, 0, 7, 0);
	CHECK(t, rb_pair_agrees(&pair));
	CHECK_EQ(t, pair.order[39], 0);
	CHECK(t, rb_first(&pair.tree) == &pair.items[1].node);
}

SELFTEST(rbtree_wrap, "keys are compared by their difference, across the wrap")
{
	rb_pair_init(&pair, false);
	rb_pair_insert(&pair, 0, 5, 0);
	rb_pair_insert(&pair, 1, UINT64_MAX - 5, 0);
	rb_pair_insert(&pair, 2, INT64_MAX - 10, 0);
	CHECK(t, rb_pair_agrees(&pair));
	CHECK(t, rb_first(&pair.tree) == &pair.items[1].node);
	CHECK(t, rb_next(&pair.items[1].node) == &pair.items[0].node);
	CHECK(t, rb_before(UINT64_MAX, 0) && !rb_before(0, 0) && !rb_before(1, 0));
}

SELFTEST(rbtree_in_a_row,
	 "256 in rising and in falling order, taken from the front and from the back")
{
	for (u32 way = 0; way < 4; way++) {
		rb_pair_init(&pair, true);
		for (u32 i = 0; i < MODEL_NODES; i++)
			rb_pair_insert(&pair, i, way & 1 ? 1000 - i : i, i);
		REQUIRE(t, rb_pair_agrees(&pair));
		while (pair.count) {
			rb_pair_remove(&pair, pair.order[way & 2 ? pair.count - 1 : 0]);
			if (pair.count % 16 == 0)
				REQUIRE(t, rb_pair_agrees(&pair));
		}
	}
}

SELFTEST(rbtree_random, "2000 random changes: order, colours, links and summaries")
{
	u64 random = 1;

	rb_pair_init(&pair, true);
	for (u32 i = 0; i < 2000; i++) {
		random = random * 6364136223846793005 + 1442695040888963407;
		rb_pair_step(&pair, random ^ random >> 29);
		if (i % 8 == 0)
			REQUIRE(t, rb_pair_agrees(&pair));
	}
}
