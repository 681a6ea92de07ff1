/*
 * model_buddy.c - the buddy allocator against its naive model, for longer than the kernel's own
 * self-test has time for, on memory cut up at random; the memory map likewise.
 */
#include "../mm/buddy_model.h"
#include "../mm/memmap_model.h"
#include "random.h"

#include <mazu/page.h>
#include <mazu/selftest.h>

static struct buddy_pair pair;
static struct memmap_pair map;

/* Runs with holes between them; sometimes there is none, sometimes they touch chunks' edges. */
static bool give_at_random(u64 *seed)
{
	u32 at = random_below(seed, 3) ? random_below(seed, 100) : 0;

	while (at < MODEL_FRAMES) {
		u32 count = 1 + random_below(seed, 1U << random_below(seed, 13));
		u32 hole = 1 + random_below(seed, 1U << random_below(seed, 11));

		if (random_below(seed, 4) == 0)
			count = ALIGN_UP(at + count, BUDDY_CHUNK) - at;
		count = MIN(count, MODEL_FRAMES - at);
		if (!buddy_pair_give(&pair, at, count) || !buddy_pair_agrees(&pair))
			return false;
		at += count + hole;
	}
	return true;
}

SELFTEST(model_buddy,
	 "60 random memories, 1000 random calls each: as the model has it, and all comes back")
{
	u64 seed = 21;

	for (u32 i = 0; i < 60; i++) {
		buddy_pair_init(&pair);
		REQUIRE(t, give_at_random(&seed));

		u32 given = pair.model.free_frames;

		REQUIRE(t, buddy_pair_random(&pair, &seed, 1000));
		REQUIRE(t, buddy_pair_free_all(&pair));
		CHECK_EQ(t, pair.model.free_frames, given);
	}
}

SELFTEST(model_memmap,
	 "2000 maps, 60 random changes each: as a model with an owner for each page has it")
{
	u64 seed = 22;

	for (u32 i = 0; i < 2000; i++) {
		memmap_pair_init(&map);
		for (u32 k = 0; k < 60; k++) {
			u64 start = MODEL_BASE + random_below(&seed, MODEL_PAGES * PAGE_SIZE);
			u64 size = random_below(&seed, 20)
					   ? random_below(&seed, 1U << random_below(&seed, 20))
					   : random_u64(&seed);
			enum memmap_change change = random_below(&seed, MEMMAP_CHANGES);

			REQUIRE(t, memmap_pair_change(&map, change, start, size,
						      random_below(&seed, 3)));
			REQUIRE(t, memmap_pair_agrees(&map) && memmap_pair_find(&map, size, start));
		}
	}
}
