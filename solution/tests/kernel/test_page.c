/*
 * Pages on the machine we run on. The allocator's logic has its tests in tests/mm, and page.c as a whole
 * runs for longer on the host (tests/host/model_page.c); here is what only the machine can tell.
 *
 * Every test gives back what it got, also when some of its allocations fail (fault_walk.c).
 */
#include "../host/random.h"

#include <mazu/board.h>
#include <mazu/memmap.h>
#include <mazu/page.h>
#include <mazu/selftest.h>

#define WORDS (PAGE_SIZE / sizeof(u64))

static struct page_statistics statistics(void)
{
	struct page_statistics s;

	page_statistics(&s);
	return s;
}

static bool adds_up(void)
{
	struct page_statistics s = statistics();
	u64 held = 0, in_blocks = 0;

	for (u32 type = 0; type < PAGE_TYPE_COUNT; type++)
		held += s.held[type];
	for (u32 order = 0; order < BUDDY_ORDERS; order++)
		in_blocks += s.blocks[order] << order;
	return s.total == s.free + held && s.free == in_blocks + s.cached;
}

SELFTEST(page_counts_add_up,
	 "total = free + what each type holds, before, while and after something is held")
{
	struct page_statistics before = statistics();
	struct result_ptr block = page_alloc(3, PAGE_TEST);

	CHECK(t, before.free > 0 && adds_up());
	if (CHECK_EQ(t, block.err, OK)) {
		CHECK(t, adds_up());
		CHECK_EQ(t, statistics().held[PAGE_TEST], before.held[PAGE_TEST] + 8);
		CHECK_EQ(t, statistics().free, before.free - 8);
		page_free(block.value, 3);
	}
	CHECK(t, adds_up());
	CHECK_EQ(t, statistics().held[PAGE_TEST], before.held[PAGE_TEST]);
	CHECK_EQ(t, statistics().free, before.free);
}

SELFTEST(page_boot_types,
	 "image, firmware, device tree and records are counted, as many pages as they are")
{
	extern char _kernel_start[], _kernel_end[];
	struct page_statistics s = statistics();
	u64 image = ALIGN_UP((u64)(_kernel_end - _kernel_start), PAGE_SIZE) >> PAGE_SHIFT;
	u64 taken = 0, all = 0;

	CHECK_EQ(t, s.held[PAGE_IMAGE], image);
	CHECK(t, s.held[PAGE_FIRMWARE] > 0 && s.held[PAGE_FRAMES] > 0);
	CHECK(t, s.held[PAGE_BOOT] >= ALIGN_UP(board.tree.size, PAGE_SIZE) >> PAGE_SHIFT);
	for (u32 i = 0; i < page_memmap()->count; i++) {
		const struct memmap_region *region = &page_memmap()->at[i];
		u64 pages = (region->end - region->start) >> PAGE_SHIFT;

		all += pages;
		taken += region->owner == MEMMAP_FREE ? 0 : pages;
	}
	CHECK_EQ(t, s.total, all);
	CHECK_EQ(t, taken,
		 s.held[PAGE_FIRMWARE] + s.held[PAGE_IMAGE] + s.held[PAGE_BOOT] +
			 s.held[PAGE_FRAMES]);
}

/* Whether a block is inside of memory that was free at boot. */
static bool was_free(const void *block, u64 size)
{
	const struct memmap *map = page_memmap();
	u64 start = virt_to_phys(block);

	for (u32 i = 0; i < map->count; i++)
		if (map->at[i].owner == MEMMAP_FREE && start >= map->at[i].start &&
		    start < map->at[i].end && size <= map->at[i].end - start)
			return true;
	return false;
}

SELFTEST(page_orders,
	 "a block of each order is aligned, is memory, and was nobody's; no order above the last")
{
	for (u32 order = 0; order <= PAGE_ORDER_MAX; order++) {
		struct result_ptr block = page_alloc(order, PAGE_TEST);
		u64 size = PAGE_SIZE << order;
		volatile u64 *words = block.value;

		if (!CHECK_EQ(t, block.err, OK))
			continue;
		CHECK_EQ(t, virt_to_phys(block.value) % size, 0);
		CHECK(t, was_free(block.value, size));
		words[0] = ~0UL;
		words[size / sizeof(u64) - 1] = order;
		CHECK(t, words[0] == ~0UL && words[size / sizeof(u64) - 1] == order);
		page_free(block.value, order);
	}
	CHECK_EQ(t, page_alloc(PAGE_ORDER_MAX + 1, PAGE_TEST).err, ERR_INVAL);
	CHECK_EQ(t, page_alloc(UINT32_MAX, PAGE_TEST).err, ERR_INVAL);
}

SELFTEST(page_zero, "page_alloc_zero clears what was there")
{
	struct result_ptr page = page_alloc(0, PAGE_TEST);
	u64 sum = 0;

	if (!page.err) {
		for (u64 i = 0; i < WORDS; i++)
			((u64 *)page.value)[i] = ~i;
		page_free(page.value, 0);
	}
	page = page_alloc_zero(PAGE_TEST);
	if (!CHECK_EQ(t, page.err, OK))
		return;
	for (u64 i = 0; i < WORDS; i++)
		sum |= ((u64 *)page.value)[i];
	CHECK_EQ(t, sum, 0);
	page_free(page.value, 0);
}

SELFTEST(page_owners, "a page with several owners is freed by the last of them, whoever that is")
{
	u64 before = statistics().free;
	struct result_ptr page = page_alloc(0, PAGE_TEST);

	REQUIRE(t, !page.err);
	CHECK_EQ(t, page_owners(page.value), 1);
	page_get(page.value);
	page_get(page.value);
	CHECK_EQ(t, page_owners(page.value), 3);
	page_put(page.value);
	page_put(page.value);
	CHECK_EQ(t, page_owners(page.value), 1);
	CHECK_EQ(t, statistics().free, before - 1);
	page_put(page.value);
	CHECK_EQ(t, statistics().free, before);
}

SELFTEST(page_cache,
	 "the page freed last is the next; a drain gives all of them back, and they merge")
{
	struct page_statistics before, after;
	struct result_ptr page, again, pages[CONFIG_PAGE_CACHE_MAX + 4];

	page_cache_drain();
	before = statistics();
	page = page_alloc(0, PAGE_TEST);
	if (!page.err)
		page_free(page.value, 0);
	again = page_alloc(0, PAGE_TEST);
	CHECK(t, page.err || again.err || page.value == again.value);
	if (!again.err)
		page_free(again.value, 0);
	for (size_t i = 0; i < ARRAY_SIZE(pages); i++)
		pages[i] = page_alloc(0, PAGE_TEST);
	for (size_t i = 0; i < ARRAY_SIZE(pages); i++)
		if (!pages[i].err)
			page_free(pages[i].value, 0);
	CHECK_EQ(t, statistics().cached, CONFIG_PAGE_CACHE_MAX);
	CHECK_EQ(t, statistics().free, before.free);
	page_cache_drain();
	after = statistics();
	CHECK_EQ(t, after.cached, 0);
	for (u32 order = 0; order < BUDDY_ORDERS; order++)
		CHECK_EQ(t, after.blocks[order], before.blocks[order]);
}

/* Behind the last page that has a record. */
static u64 end_of_records(void)
{
	const struct memmap *map = page_memmap();
	u64 end = 0;

	for (u32 i = 0; i < map->count; i++)
		end = map->at[i].owner == MEMMAP_FREE ? map->at[i].end : end;
	return ALIGN_UP(end, PAGE_SIZE << PAGE_ORDER_MAX);
}

SELFTEST(page_records, "each page of ours has a record of its own; what is no memory has none")
{
	struct result_ptr block = page_alloc(2, PAGE_TEST);
	const u8 *at = block.value;

	CHECK(t, page_frame(NULL) == NULL);
	CHECK(t, page_frame(phys_to_virt(ARCH_PHYSICAL_END)) == NULL);
	CHECK(t, page_frame((void *)UINTPTR_MAX) == NULL);
	CHECK(t, page_frame(phys_to_virt(end_of_records())) == NULL);
	CHECK(t, page_frame(phys_to_virt(end_of_records() - 1)) != NULL);
	REQUIRE(t, !block.err);
	for (u64 i = 0; i < 4; i++) {
		CHECK(t, page_frame(at + i * PAGE_SIZE) == page_frame(at) + i);
		CHECK(t, page_frame(at + (i + 1) * PAGE_SIZE - 1) == page_frame(at) + i);
	}
	CHECK_EQ(t, page_frame(at)->state, FRAME_HELD);
	CHECK_EQ(t, page_frame(at)->type, PAGE_TEST);
	page_free(block.value, 2);
}

SELFTEST(page_random,
	 "blocks of mixed orders and types, held at once, never overlap, and all merge again")
{
	static struct {
		struct result_ptr block;
		u32 order;
	} held[48];
	struct page_statistics before, after;
	u64 seed = 51;

	page_cache_drain();
	before = statistics();
	for (size_t i = 0; i < ARRAY_SIZE(held); i++) {
		held[i].order = random_below(&seed, 1 + random_below(&seed, 6));
		held[i].block = page_alloc(held[i].order, PAGE_TABLE + random_below(&seed, 6));
		for (u64 k = 0; !held[i].block.err && k < WORDS << held[i].order; k += WORDS)
			((u64 *)held[i].block.value)[k] = i;
	}
	CHECK(t, adds_up());
	for (size_t i = 0; i < ARRAY_SIZE(held); i++) {
		size_t at = (i * 29 + 7) % ARRAY_SIZE(held);

		if (held[at].block.err)
			continue;
		for (u64 k = 0; k < WORDS << held[at].order; k += WORDS)
			CHECK_EQ(t, ((u64 *)held[at].block.value)[k], at);
		page_free(held[at].block.value, held[at].order);
	}
	page_cache_drain();
	after = statistics();
	CHECK(t, adds_up());
	CHECK_EQ(t, after.free, before.free);
	for (u32 order = 0; order < BUDDY_ORDERS; order++)
		CHECK_EQ(t, after.blocks[order], before.blocks[order]);
}

SELFTEST(page_type_names, "each type has a name of its own and says what it is for")
{
	for (u32 type = 0; type < PAGE_TYPE_COUNT; type++) {
		CHECK(t, page_type_name(type).len > 0 && page_type_what(type).len > 0);
		for (u32 other = 0; other < type; other++)
			CHECK(t, !str_eq(page_type_name(type), page_type_name(other)));
	}
	CHECK_STR_EQ(t, page_type_name(PAGE_SLAB), STR("slab"));
	CHECK_STR_EQ(t, page_type_name(PAGE_TYPE_COUNT), STR("?"));
}
