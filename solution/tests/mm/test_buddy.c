/*
 * The buddy allocator: what a call must do, then long random sequences against the model.
 */
#include "../host/random.h"
#include "buddy_model.h"

#include <mazu/selftest.h>

static struct buddy_pair pair;

/* How many free blocks of an order there are. */
static u64 blocks_of(u32 order)
{
	u64 blocks[BUDDY_ORDERS];

	buddy_blocks(&pair.buddy, blocks);
	return blocks[order];
}

static void begin(struct selftest *t, u32 first, u32 count)
{
	buddy_pair_init(&pair);
	CHECK(t, buddy_pair_give(&pair, first, count));
	CHECK(t, buddy_pair_agrees(&pair));
}

SELFTEST(buddy_splits,
	 "the smallest free block that is large enough is cut; the upper halves stay free")
{
	u32 head;

	begin(t, 0, BUDDY_CHUNK);
	CHECK(t, buddy_pair_alloc(&pair, 0, &head) && head == 0);
	for (u32 order = 0; order < BUDDY_ORDER_MAX; order++)
		CHECK_EQ(t, blocks_of(order), 1);
	CHECK_EQ(t, blocks_of(BUDDY_ORDER_MAX), 0);
	CHECK(t, buddy_pair_alloc(&pair, 3, &head) && head == 8);
	CHECK_EQ(t, blocks_of(3), 0);
	CHECK_EQ(t, blocks_of(4), 1);
	CHECK(t, buddy_pair_agrees(&pair));
}

SELFTEST(buddy_merges, "a freed block merges with its buddy as far as it goes, and with no other")
{
	u32 pages[4];

	begin(t, 0, BUDDY_CHUNK);
	for (u32 i = 0; i < ARRAY_SIZE(pages); i++)
		CHECK(t, buddy_pair_alloc(&pair, 0, &pages[i]) && pages[i] == i);
	CHECK(t, buddy_pair_free(&pair, 1, 0) && buddy_pair_free(&pair, 2, 0));
	CHECK_EQ(t, blocks_of(0), 2); /* neighbours, but not buddies */
	CHECK_EQ(t, blocks_of(1), 0);
	CHECK(t, buddy_pair_free(&pair, 3, 0));
	CHECK_EQ(t, blocks_of(0), 1);
	CHECK_EQ(t, blocks_of(1), 1);
	CHECK(t, buddy_pair_free(&pair, 0, 0));
	for (u32 order = 0; order < BUDDY_ORDER_MAX; order++)
		CHECK_EQ(t, blocks_of(order), 0);
	CHECK_EQ(t, blocks_of(BUDDY_ORDER_MAX), 1);
	CHECK(t, buddy_pair_agrees(&pair));
}

SELFTEST(buddy_orders,
	 "each order yields aligned blocks until there are none, and all of it comes back")
{
	static u32 heads[2 * BUDDY_CHUNK];

	for (u32 order = 0; order < BUDDY_ORDERS; order++) {
		u32 count = 2 * BUDDY_CHUNK >> order;

		begin(t, BUDDY_CHUNK, 2 * BUDDY_CHUNK);
		for (u32 i = 0; i < count; i++) {
			struct result_frame block = buddy_alloc(&pair.buddy, order);

			REQUIRE(t, !block.err);
			heads[i] = (u32)(block.value - pair.frames);
			CHECK_EQ(t, heads[i] % (1U << order), 0);
		}
		CHECK_EQ(t, buddy_alloc(&pair.buddy, 0).err, ERR_NOMEM);
		CHECK_EQ(t, buddy_alloc(&pair.buddy, order).err, ERR_NOMEM);
		for (u32 odd = 0; odd < 2; odd++)
			for (u32 i = odd; i < count; i += 2)
				buddy_free(&pair.buddy, &pair.frames[heads[i]], order);
		CHECK(t, buddy_pair_agrees(&pair));
	}
}

SELFTEST(buddy_give_edges,
	 "any run may be given, several may share a chunk, and what lies between stays out")
{
	static const struct {
		u32 first, count;
	} runs[] = {
		{ 1, 1 },    { 2, 5 },	  { 9, 1000 },	  { 1023, 1 }, { 1024, 1 },
		{ 1027, 2 }, { 2047, 2 }, { 2050, 2045 }, { 4095, 1 },
	};
	u32 head;

	buddy_pair_init(&pair);
	for (size_t i = 0; i < ARRAY_SIZE(runs); i++) {
		CHECK(t, buddy_pair_give(&pair, runs[i].first, runs[i].count));
		CHECK(t, buddy_pair_agrees(&pair));
	}
	while (buddy_pair_alloc(&pair, 0, &head) && head != UINT32_MAX)
		;
	CHECK_EQ(t, pair.model.free_frames, 0);
	for (size_t i = 0; i < ARRAY_SIZE(runs); i++)
		for (u32 k = 0; k < runs[i].count; k++)
			CHECK(t, buddy_pair_free(&pair, runs[i].first + k, 0));
	CHECK(t, buddy_pair_agrees(&pair));
}

SELFTEST(buddy_give_bound,
	 "no more runs of whole chunks than there is room for; one too many changes nothing")
{
	begin(t, 0, BUDDY_CHUNK);
	pair.buddy.fresh_count = BUDDY_FRESH_MAX;
	CHECK_EQ(t, buddy_give(&pair.buddy, BUDDY_CHUNK + 1, 2 * BUDDY_CHUNK), ERR_NOSPC);
	CHECK_EQ(t, buddy_give(&pair.buddy, 3 * BUDDY_CHUNK + 1, 1), OK);
	CHECK_EQ(t, blocks_of(0), 1);
	CHECK_EQ(t, blocks_of(1), 0);
}

SELFTEST(buddy_fresh_untouched, "the records of a chunk that nobody used are not written")
{
	u32 head;

	begin(t, 0, MODEL_FRAMES);
	pair.frames[3 * BUDDY_CHUNK].state = 0x77;
	CHECK(t,
	      buddy_pair_alloc(&pair, 0, &head) && buddy_pair_alloc(&pair, BUDDY_ORDER_MAX, &head));
	CHECK_EQ(t, pair.frames[3 * BUDDY_CHUNK].state, 0x77);
	CHECK_EQ(t, pair.frames[BUDDY_CHUNK + 1].state,
		 (FRAME_FREE + (BUDDY_CHUNK + 1) % BUDDY_ORDERS));
}

SELFTEST(buddy_random, "random calls leave lists, counts and heads as the naive model has them")
{
	u64 seed = 11;

	buddy_pair_init(&pair);
	CHECK(t, buddy_pair_give(&pair, 5, 700) && buddy_pair_give(&pair, 1000, 1500));
	CHECK(t, buddy_pair_random(&pair, &seed, 1000));
	CHECK(t, buddy_pair_free_all(&pair));
}
