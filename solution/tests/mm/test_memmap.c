/*
 * The memory map: rounding, wrapping, precedence, joining, and random changes against the model.
 */
#include "../host/random.h"
#include "memmap_model.h"

#include <mazu/mem.h>
#include <mazu/page.h>
#include <mazu/selftest.h>

#define LIMIT (1UL << 37)

static struct memmap map;
static struct memmap_pair pair;

static bool region_is(u32 i, u64 start, u64 end, u32 owner)
{
	return i < map.count && map.at[i].start == start && map.at[i].end == end &&
	       map.at[i].owner == owner;
}

SELFTEST(memmap_rounds, "memory is rounded inwards to pages, what is taken outwards")
{
	map = (struct memmap){ 0 };
	CHECK_EQ(t, memmap_add(&map, 0x1001, 0x2fff, LIMIT), OK);
	CHECK(t, map.count == 1 && region_is(0, 0x2000, 0x4000, MEMMAP_FREE));
	CHECK_EQ(t, memmap_add(&map, 0x8001, 0x1ffe, LIMIT), OK); /* no whole page */
	CHECK_EQ(t, map.count, 1);
	CHECK_EQ(t, memmap_take(&map, 0x2fff, 1, PAGE_BOOT), OK);
	CHECK(t, map.count == 2 && region_is(0, 0x2000, 0x3000, PAGE_BOOT));
	CHECK_EQ(t, memmap_take(&map, 0x3001, 0, PAGE_BOOT), OK); /* nothing */
	CHECK(t, map.count == 2 && region_is(1, 0x3000, 0x4000, MEMMAP_FREE));
}

SELFTEST(memmap_joins, "ranges that touch or overlap become one; the first owner keeps what it has")
{
	map = (struct memmap){ 0 };
	CHECK_EQ(t, memmap_add(&map, 0x4000, 0x2000, LIMIT), OK);
	CHECK_EQ(t, memmap_add(&map, 0x1000, 0x3000, LIMIT), OK);
	CHECK_EQ(t, memmap_add(&map, 0x5000, 0x4000, LIMIT), OK);
	CHECK(t, map.count == 1 && region_is(0, 0x1000, 0x9000, MEMMAP_FREE));
	CHECK_EQ(t, memmap_take(&map, 0x3000, 0x1000, PAGE_IMAGE), OK);
	CHECK_EQ(t, memmap_take(&map, 0x2000, 0x3000, PAGE_FIRMWARE), OK);
	CHECK_EQ(t, memmap_add(&map, 0x1000, 0x8000, LIMIT), OK);
	CHECK_EQ(t, map.count, 5);
	CHECK(t, region_is(0, 0x1000, 0x2000, MEMMAP_FREE));
	CHECK(t, region_is(1, 0x2000, 0x3000, PAGE_FIRMWARE));
	CHECK(t, region_is(2, 0x3000, 0x4000, PAGE_IMAGE));
	CHECK(t, region_is(3, 0x4000, 0x5000, PAGE_FIRMWARE));
	CHECK(t, region_is(4, 0x5000, 0x9000, MEMMAP_FREE));
	CHECK_EQ(t, memmap_drop(&map, 0, UINT64_MAX), OK);
	CHECK(t, map.count == 3 && region_is(0, 0x2000, 0x3000, PAGE_FIRMWARE));
}

SELFTEST(memmap_wraps,
	 "ranges that wrap end where addresses end; the limit cuts, and nothing lies above")
{
	const u64 top = UINT64_MAX & ~PAGE_MASK;

	map = (struct memmap){ 0 };
	CHECK_EQ(t, memmap_add(&map, UINT64_MAX - 0x1fff, UINT64_MAX, LIMIT), OK);
	CHECK_EQ(t, memmap_add(&map, LIMIT, 0x1000, LIMIT), OK);
	CHECK_EQ(t, memmap_add(&map, UINT64_MAX, 1, LIMIT), OK);
	CHECK_EQ(t, map.count, 0);
	CHECK_EQ(t, memmap_add(&map, LIMIT - 0x1000, UINT64_MAX, LIMIT), OK);
	CHECK(t, map.count == 1 && region_is(0, LIMIT - 0x1000, LIMIT, MEMMAP_FREE));
	CHECK_EQ(t, memmap_add(&map, top - 0x1000, UINT64_MAX, UINT64_MAX), OK);
	CHECK(t, map.count == 2 && region_is(1, top - 0x1000, top, MEMMAP_FREE));
	CHECK_EQ(t, memmap_take(&map, top - 1, UINT64_MAX, PAGE_BOOT), OK);
	CHECK(t, map.count == 2 && region_is(1, top - 0x1000, top, PAGE_BOOT));
	CHECK_EQ(t, memmap_find(&map, 1, UINT64_MAX).err, ERR_NOMEM);
}

SELFTEST(memmap_full, "a change that needs more regions than there are changes nothing")
{
	struct memmap before;

	map = (struct memmap){ 0 };
	for (u64 i = 0; i < MEMMAP_REGIONS_MAX; i++)
		CHECK_EQ(t, memmap_add(&map, 0x1000 + i * 0x4000, 0x3000, LIMIT), OK);
	before = map;
	CHECK_EQ(t, memmap_add(&map, 0x1000000, 0x1000, LIMIT), ERR_NOSPC);
	CHECK_EQ(t, memmap_take(&map, 0x2000, 0x1000, PAGE_BOOT), ERR_NOSPC);
	CHECK_EQ(t, memmap_drop(&map, 0x2000, 0x1000), ERR_NOSPC);
	CHECK(t, !memcmp(&map, &before, sizeof(map)));
	CHECK_EQ(t, memmap_add(&map, 0x4000, 0x1000, LIMIT), OK); /* joins two */
	CHECK_EQ(t, map.count, MEMMAP_REGIONS_MAX - 1);
	CHECK_EQ(t, memmap_take(&map, 0x1000, 0x1000, PAGE_BOOT), OK);
	CHECK_EQ(t, map.count, MEMMAP_REGIONS_MAX);
}

SELFTEST(memmap_finds, "the lowest free piece that is large enough, from an address on")
{
	map = (struct memmap){ 0 };
	CHECK_EQ(t, memmap_add(&map, 0x1000, 0x9000, LIMIT), OK);
	CHECK_EQ(t, memmap_take(&map, 0x3000, 0x1000, PAGE_BOOT), OK);
	CHECK_EQ(t, memmap_find(&map, 0x1001, 0).value, 0x1000);
	CHECK_EQ(t, memmap_find(&map, 0x2001, 0).value, 0x4000);
	CHECK_EQ(t, memmap_find(&map, 0x1000, 0x2001).value, 0x4000);
	CHECK_EQ(t, memmap_find(&map, 0x5000, 0x4001).value, 0x5000);
	CHECK_EQ(t, memmap_find(&map, 0x5001, 0x4001).err, ERR_NOMEM);
	CHECK_EQ(t, memmap_find(&map, UINT64_MAX, 0).err, ERR_NOMEM);
}

SELFTEST(memmap_random,
	 "random changes leave the map as a model with an owner for each page has it")
{
	u64 seed = 12;

	for (u32 round = 0; round < 20; round++) {
		memmap_pair_init(&pair);
		for (u32 i = 0; i < 100; i++) {
			enum memmap_change change = random_below(&seed, MEMMAP_CHANGES);
			u64 start = MODEL_BASE + random_below(&seed, MODEL_PAGES * PAGE_SIZE);
			u64 size = random_below(&seed, 1U << random_below(&seed, 18));

			REQUIRE(t, memmap_pair_change(&pair, change, start, size,
						      random_below(&seed, 3)));
			REQUIRE(t, memmap_pair_agrees(&pair));
			REQUIRE(t, memmap_pair_find(&pair, size, start));
		}
	}
}
