/*
 * model_page.c - page.c as the kernel has it, on the host's machine: long random use, all memory taken and
 * given back, and what debug builds say of misuse.
 */
#include "machine.h"
#include "random.h"

#include <mazu/fault_inject.h>
#include <mazu/mem.h>
#include <mazu/memmap.h>
#include <mazu/page.h>
#include <mazu/selftest.h>

#define BLOCKS_MAX 1000
#define PAGES_MAX (MACHINE_SIZE / PAGE_SIZE)

static struct {
	u64 *at;
	u32 order;
	enum page_type type;
	u64 mark;
} blocks[BLOCKS_MAX];
static u32 block_count;

static bool adds_up(void)
{
	struct page_statistics s;
	u64 sum = 0, free_in_blocks = 0;

	page_statistics(&s);
	for (u32 type = 0; type < PAGE_TYPE_COUNT; type++)
		sum += s.held[type];
	for (u32 order = 0; order < BUDDY_ORDERS; order++)
		free_in_blocks += s.blocks[order] << order;
	return s.total == s.free + sum && s.free == s.cached + free_in_blocks &&
	       s.cached <= CONFIG_PAGE_CACHE_MAX;
}

/* Whether all of a block is memory that page_init found to be free. */
static bool is_ours(u64 start, u64 size)
{
	const struct memmap *map = page_memmap();

	for (u32 i = 0; i < map->count; i++)
		if (map->at[i].owner == MEMMAP_FREE && start >= map->at[i].start &&
		    size <= map->at[i].end - start && start < map->at[i].end)
			return true;
	return false;
}

/* A mark in the first and the last word of each page: another block in the same place would wipe it. */
static void mark_block(u32 i)
{
	for (u64 page = 0; page < 1UL << blocks[i].order; page++) {
		blocks[i].at[page * 512] = blocks[i].mark + page;
		blocks[i].at[page * 512 + 511] = ~(blocks[i].mark + page);
	}
}

static bool mark_is_there(u32 i)
{
	for (u64 page = 0; page < 1UL << blocks[i].order; page++)
		if (blocks[i].at[page * 512] != blocks[i].mark + page ||
		    blocks[i].at[page * 512 + 511] != ~(blocks[i].mark + page))
			return false;
	return true;
}

static bool random_alloc(u64 *seed)
{
	u32 order = random_below(seed, 1 + random_below(seed, BUDDY_ORDERS));
	enum page_type type = PAGE_TABLE + random_below(seed, PAGE_TYPE_COUNT - PAGE_TABLE);
	struct result_ptr page = page_alloc(order, type);
	u64 size = PAGE_SIZE << order;

	if (page.err)
		return page.err == ERR_NOMEM;
	blocks[block_count].at = page.value;
	blocks[block_count].order = order;
	blocks[block_count].type = type;
	blocks[block_count].mark = random_u64(seed);
	mark_block(block_count++);
	return virt_to_phys(page.value) % size == 0 && is_ours(virt_to_phys(page.value), size);
}

static bool free_block(u32 i)
{
	bool good = mark_is_there(i);

	page_free(blocks[i].at, blocks[i].order);
	blocks[i] = blocks[--block_count];
	return good;
}

static bool same_free(const struct page_statistics *a, const struct page_statistics *b)
{
	return a->free == b->free && !memcmp(a->held, b->held, sizeof(a->held)) &&
	       !memcmp(a->blocks, b->blocks, sizeof(a->blocks));
}

SELFTEST(model_page_random,
	 "50000 random calls: blocks never overlap, counts add up, all of it comes back")
{
	struct page_statistics before, after;
	u64 seed = 31;

	page_cache_drain();
	page_statistics(&before);
	for (u32 i = 0; i < 50000; i++) {
		bool alloc = block_count == 0 ||
			     (block_count < BLOCKS_MAX &&
			      random_below(&seed, 100) < (i / 1000 % 2 ? 40U : 60U));

		REQUIRE(t,
			alloc ? random_alloc(&seed) : free_block(random_below(&seed, block_count)));
		if (i % 50 == 0)
			REQUIRE(t, adds_up());
		if (random_below(&seed, 500) == 0)
			page_cache_drain();
	}
	while (block_count > 0)
		REQUIRE(t, free_block(block_count - 1));
	page_cache_drain();
	page_statistics(&after);
	CHECK(t, same_free(&before, &after) && adds_up());
	CHECK_EQ(t, after.cached, 0);
}

SELFTEST(model_page_exhausted, "every free page can be had once, none beyond, and all merge again")
{
	static void *pages[PAGES_MAX];
	struct page_statistics before, empty, after;
	u64 count = 0, seed = 32;
	struct result_ptr page;

	page_cache_drain();
	page_statistics(&before);
	while (count < PAGES_MAX && !(page = page_alloc(0, PAGE_TEST)).err) {
		CHECK(t, is_ours(virt_to_phys(page.value), PAGE_SIZE));
		memset(page.value, 0x11, PAGE_SIZE);
		pages[count++] = page.value;
	}
	CHECK_EQ(t, count, before.free);
	page_statistics(&empty);
	CHECK_EQ(t, empty.free, 0);
	for (u32 order = 0; order <= PAGE_ORDER_MAX; order++)
		CHECK_EQ(t, page_alloc(order, PAGE_TEST).err, ERR_NOMEM);
	for (u64 left = count; left > 0; left--) {
		u64 i = random_below(&seed, (u32)left);

		page_free(pages[i], 0);
		pages[i] = pages[left - 1];
	}
	page_cache_drain();
	page_statistics(&after);
	CHECK(t, same_free(&before, &after) && adds_up());
}

#ifdef CONFIG_FAULT_INJECTION

SELFTEST(model_page_injection, "the allocation that was named fails, once, and only that one")
{
	struct result_ptr page;

	fault_inject_set(3);
	for (u32 i = 1; i <= 5; i++) {
		page = page_alloc(0, PAGE_TEST);
		CHECK_EQ(t, page.err, i == 3 ? ERR_NOMEM : OK);
		CHECK_EQ(t, fault_inject_fired(), i >= 3);
		if (!page.err)
			page_free(page.value, 0);
	}
	fault_inject_set(0);
	CHECK(t, !fault_inject_fired());
}

#endif
#ifdef CONFIG_ALLOC_DEBUG

/* ---- Misuse: each body is run in a process of its own, since nothing can be trusted after it ---- */

struct misuse {
	void (*body)(void *arg);
	struct str panic;	     /* how its words begin */
	bool allocated_by, freed_by; /* which backtraces come before */
};

static bool is_reported(void *arg)
{
	const struct misuse *misuse = arg;

	machine_log_clear();
	return machine_panics(misuse->body, NULL) &&
	       str_starts_with(machine_panic_text(), misuse->panic) &&
	       machine_log_has(STR("allocated by:\n  0x")) == misuse->allocated_by &&
	       machine_log_has(STR("freed by:\n  0x")) == misuse->freed_by;
}

static void *page_of(u32 order)
{
	return page_alloc(order, PAGE_TEST).value;
}

static void free_twice(void *arg)
{
	void *page = page_of(0);

	(void)arg;
	page_free(page, 0);
	page_free(page, 0);
}

static void free_twice_merged(void *arg)
{
	u8 *pages = page_of(3);

	(void)arg;
	page_free(pages, 3);
	page_cache_drain();
	page_free(pages, 3);
}

static void free_as_larger(void *arg)
{
	(void)arg;
	page_free(page_of(2), 3);
}

static void free_inside(void *arg)
{
	(void)arg;
	page_free((u8 *)page_of(2) + PAGE_SIZE, 0);
}

static void free_part_of_freed(void *arg)
{
	u8 *pages = page_of(2);

	(void)arg;
	page_free(pages, 2);
	page_free(pages + PAGE_SIZE, 0);
}

static void free_untaken(void *arg)
{
	(void)arg;
	machine_boot();
	page_free((void *)(MACHINE_MEMORY + MACHINE_SIZE / 2), 0);
}

static void free_unaligned(void *arg)
{
	(void)arg;
	page_free((u8 *)page_of(0) + 16, 0);
}

static void free_foreign(void *arg)
{
	int here;

	(void)arg;
	page_free(&here, 0);
}

static void free_shared(void *arg)
{
	void *page = page_of(0);

	(void)arg;
	page_get(page);
	page_free(page, 0);
}

static void put_too_often(void *arg)
{
	void *page = page_of(0);

	(void)arg;
	page_put(page);
	page_put(page);
}

static void get_block(void *arg)
{
	(void)arg;
	page_get(page_of(1));
}

static void write_after_free(void *arg)
{
	u8 *page = page_of(0);

	(void)arg;
	page_free(page, 0);
	page[4095] = 0;
	page_of(0);
}

static void write_after_block(void *arg)
{
	u8 *pages = page_of(2);

	(void)arg;
	page_free(pages, 2);
	pages[3 * PAGE_SIZE] = 0;
	while (!page_alloc(2, PAGE_TEST).err)
		;
}

static void write_after_merge(void *arg)
{
	u8 *page = page_of(1);

	(void)arg;
	page_free(page, 1);
	page[PAGE_SIZE + 8] ^= 1;
	while (!page_alloc(0, PAGE_TEST).err)
		;
}

SELFTEST(model_page_misuse,
	 "every misuse is a panic that says what, who allocated it and who freed it")
{
	static struct misuse misuses[] = {
		{ free_twice, STR("page: double free of 0x"), true, true },
		{ free_twice_merged, STR("page: double free of 0x"), true, true },
		{ free_as_larger, STR("page: free of 0x"), true, false },
		{ free_inside, STR("page: free of 0x"), true, false },
		{ free_part_of_freed, STR("page: double free of 0x"), true, true },
		{ free_untaken, STR("page: free of 0x"), false, false },
		{ free_unaligned, STR("page: free of 0x"), false, false },
		{ free_foreign, STR("page: free of 0x"), false, false },
		{ free_shared, STR("page: free of 0x"), true, false },
		{ put_too_often, STR("page: 0x"), true, true },
		{ get_block, STR("page: 0x"), true, false },
		{ write_after_free, STR("page: 0x"), true, true },
		{ write_after_block, STR("page: 0x"), true, true },
		{ write_after_merge, STR("page: 0x"), true, true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(misuses); i++)
		CHECK_EQ(t, machine_child(is_reported, &misuses[i]) ? i : UINT32_MAX, i);
}

#endif
