/*
 * Pages: what a pair of calls costs when the cache answers, what it costs when everything must be
 * split and merged again, and the worst single call.
 */
#include <arch/cpu.h>
#include <mazu/bench.h>
#include <mazu/page.h>

/* ---- page_alloc_free: a page that is at hand ---- */

static void steady_begin(void)
{
	struct result_ptr page = page_alloc(0, PAGE_TEST);

	if (!page.err)
		page_free(page.value, 0);
}

BENCHMARK(page_alloc_free, steady_begin, NULL)
{
	struct result_ptr page = page_alloc(0, PAGE_TEST);

	if (!page.err)
		page_free(page.value, 0);
	return 0;
}

/* ---- From here on all free memory is in blocks of the largest order, and no page is at hand. ---- */

/*
 * So whatever is smaller is taken first: a cache full of single pages, then the rest, chained through
 * their first words. Bounded by what the boot left of partly taken chunks.
 */
static void *cached[CONFIG_PAGE_CACHE_MAX];
static void *taken[BUDDY_ORDERS];

static void cache_empty(void)
{
	for (u32 i = 0; i < ARRAY_SIZE(cached); i++)
		cached[i] = page_alloc(0, PAGE_TEST).value;
}

static void cache_fill(void)
{
	for (u32 i = 0; i < ARRAY_SIZE(cached); i++)
		if (cached[i])
			page_free(cached[i], 0);
}

static void merged_begin(void)
{
	struct page_statistics s;

	page_cache_drain();
	cache_empty();
	page_statistics(&s);
	for (u32 order = 0; order < PAGE_ORDER_MAX; order++) {
		for (u64 i = 0; i < s.blocks[order]; i++) {
			struct result_ptr block = page_alloc(order, PAGE_TEST);

			if (block.err)
				return;
			*(void **)block.value = taken[order];
			taken[order] = block.value;
		}
	}
}

static void merged_end(void)
{
	for (u32 order = 0; order < PAGE_ORDER_MAX; order++) {
		while (taken[order]) {
			void *block = taken[order];

			taken[order] = *(void **)block;
			page_free(block, order);
		}
	}
	cache_fill();
	page_cache_drain();
}

struct cost {
	u64 alloc, free;
};

/* The cache is empty when the block is taken, and full when it is given back. */
static struct cost order_cost(u32 order)
{
	u64 start = arch_cycles();
	u64 empty = arch_cycles() - start;
	struct cost cost;

	start = arch_cycles();
	struct result_ptr block = page_alloc(order, PAGE_TEST);
	cost.alloc = arch_cycles() - start - empty;
	if (block.err)
		return (struct cost){ 0, 0 };
	cache_fill();
	start = arch_cycles();
	page_free(block.value, order);
	cost.free = arch_cycles() - start - empty;
	cache_empty();
	return cost;
}

/* ---- page_alloc_free_merged: taking a page splits ten times, giving it back merges ten times ---- */

BENCHMARK(page_alloc_free_merged, merged_begin, merged_end)
{
	struct cost cost = order_cost(0);

	return cost.alloc + cost.free;
}

/* ---- page_alloc_worst, page_free_worst: the longest single calls, over all orders ---- */

static struct cost worst_cost(void)
{
	struct cost worst = { 0, 0 };

	for (u32 order = 0; order < BUDDY_ORDERS; order++) {
		struct cost cost = order_cost(order);

		worst.alloc = MAX(worst.alloc, cost.alloc);
		worst.free = MAX(worst.free, cost.free);
	}
	return worst;
}

BENCHMARK(page_alloc_worst, merged_begin, merged_end)
{
	return worst_cost().alloc;
}

BENCHMARK(page_free_worst, merged_begin, merged_end)
{
	return worst_cost().free;
}

/* ---- page_statistics: how long the lock is held for a look ---- */

BENCHMARK(page_statistics, NULL, NULL)
{
	struct page_statistics s;

	page_statistics(&s);
	return 0;
}
