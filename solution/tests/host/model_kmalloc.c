/*
 * model_kmalloc.c - kmalloc as the kernel has it, on the host's machine: a long random life against the map of
 * live objects, no memory at all, and what debug builds say of misuse.
 */
#include "../mm/alloc_model.h"
#include "machine.h"
#include "random.h"

#include <mazu/fault_inject.h>
#include <mazu/kmalloc.h>
#include <mazu/selftest.h>

#include <string.h>

#define CLASSES_MAX 32
#define MAGAZINE 16

static struct alloc_model model;

/* ---- The accounts ---- */

/* Objects that are alive of each class, counted out. */
static void count_live(u32 *counts)
{
	struct kmalloc_statistics s;

	memset(counts, 0, CLASSES_MAX * sizeof(*counts));
	for (u32 i = 0; i < model.count; i++)
		for (u32 k = 0; !kmalloc_statistics(k, &s); k++)
			if (model.live[i].size <= s.size) {
				counts[k]++;
				break;
			}
}

/* Pages of the blocks that are too large for a class. */
static u64 large_pages(void)
{
	u64 pages = 0;

	for (u32 i = 0; i < model.count; i++) {
		u64 block = 1;

		while (block * PAGE_SIZE < model.live[i].size)
			block *= 2;
		pages += model.live[i].size > KMALLOC_SLAB_MAX ? block : 0;
	}
	return pages;
}

static bool adds_up(void)
{
	struct kmalloc_statistics s;
	u32 counts[CLASSES_MAX];
	u64 slabs = 0, reserved = 0;
	struct page_statistics pages;

	count_live(counts);
	for (u32 k = 0; !kmalloc_statistics(k, &s); k++) {
		if (s.in_use != counts[k] || s.in_use + s.reserved > s.slabs * (PAGE_SIZE / s.size))
			return false;
		slabs += s.slabs;
		reserved += s.reserved > MAGAZINE ? s.reserved - MAGAZINE : 0;
	}
	page_statistics(&pages);
	return pages.held[PAGE_SLAB] == slabs && pages.held[PAGE_LARGE] == large_pages() &&
	       reserved <= 128;
}

static bool all_is_back(const struct page_statistics *before)
{
	struct page_statistics after;
	struct kmalloc_statistics s;

	kmalloc_drain();
	page_cache_drain();
	page_statistics(&after);
	for (u32 k = 0; !kmalloc_statistics(k, &s); k++)
		if (s.in_use || s.reserved || s.slabs)
			return false;
	return after.free == before->free &&
	       !memcmp(after.blocks, before->blocks, sizeof(after.blocks)) &&
	       !memcmp(after.held, before->held, sizeof(after.held));
}

static void take_stock(struct page_statistics *pages)
{
	kmalloc_drain();
	page_cache_drain();
	page_statistics(pages);
}

/* ---- A long life ---- */

static bool injected(void)
{
	return IS_ENABLED(CONFIG_FAULT_INJECTION) && fault_inject_fired();
}

static void inject(u64 nth)
{
	if (IS_ENABLED(CONFIG_FAULT_INJECTION))
		fault_inject_set(nth);
}

/* Rounds in which one class is all that is used, so that slabs fill up and empty. */
static size_t random_size(u32 round, u64 *seed)
{
	u32 choice = random_below(seed, 100);

	if (round % 3 == 0)
		return 1 + (round * 37 + random_below(seed, 8)) % KMALLOC_SLAB_MAX;
	if (choice == 0)
		return PAGE_SIZE << random_below(seed, 3);
	if (choice < 3)
		return 1 + random_below(seed, 20000);
	return 1 + random_below(seed, choice < 70 ? 300 : KMALLOC_SLAB_MAX);
}

static bool take(size_t size, u64 *seed)
{
	bool good = alloc_model_take(&model, size);

	if (model.err == OK)
		return good;
	if (!injected() || model.err != ERR_NOMEM)
		return false;
	inject(1 + random_below(seed, 80));
	return good;
}

static bool step(u32 i, u64 *seed)
{
	u32 round = i / 1000;
	bool more = random_below(seed, 100) < (round % 2 ? 30U : 70U);

	if (random_below(seed, 2000) == 0)
		kmalloc_drain();
	if (model.count == 0 || (more && model.count < ALLOC_MODEL_MAX))
		return take(random_size(round, seed), seed);
	/* the latest, the oldest, or any */
	return alloc_model_give(&model, random_below(seed, 3)	? random_below(seed, model.count)
					: random_below(seed, 2) ? model.count - 1
								: 0);
}

SELFTEST(model_kmalloc_random,
	 "100000 random calls, some made to fail: no overlap, nothing lost, all pages back")
{
	struct page_statistics before;
	u64 seed = 51;

	take_stock(&before);
	alloc_model_init(&model, &kmalloc_allocator);
	inject(50);
	for (u32 i = 0; i < 100000; i++) {
		REQUIRE(t, step(i, &seed));
		if (i % 20 == 0)
			REQUIRE(t, adds_up());
	}
	inject(0);
	CHECK(t, alloc_model_give_all(&model));
	CHECK(t, all_is_back(&before));
}

SELFTEST(model_kmalloc_back_and_forth,
	 "each class from none to some slabs and back, in both orders: reserves are bounded")
{
	struct page_statistics before;
	struct kmalloc_statistics s;

	take_stock(&before);
	alloc_model_init(&model, &kmalloc_allocator);
	for (u32 k = 0; !kmalloc_statistics(k, &s); k++)
		for (u32 order = 0; order < 2; order++) {
			while (model.count < ALLOC_MODEL_MAX)
				REQUIRE(t, alloc_model_take(&model, s.size) && !model.err);
			CHECK(t, adds_up());
			while (model.count > 0)
				CHECK(t, alloc_model_give(&model, order ? 0 : model.count - 1));
			CHECK(t, adds_up());
			CHECK(t, !kmalloc_statistics(k, &s));
			CHECK(t, s.slabs <= s.reserved + 1); /* of empty slabs one is kept */
		}
	CHECK(t, all_is_back(&before));
}

SELFTEST(model_kmalloc_fills_holes,
	 "slots that came back to full slabs are used before another page is taken")
{
	struct page_statistics before;
	struct kmalloc_statistics s, again;

	take_stock(&before);
	alloc_model_init(&model, &kmalloc_allocator);
	for (u32 k = 0; !kmalloc_statistics(k, &s); k++) {
		while (model.count < ALLOC_MODEL_MAX)
			REQUIRE(t, alloc_model_take(&model, s.size) && !model.err);
		kmalloc_drain();
		CHECK(t, !kmalloc_statistics(k, &s));
		for (u32 i = 0; i < model.count; i++) /* the last takes its place and stays */
			CHECK(t, alloc_model_give(&model, i));
		kmalloc_drain();
		while (model.count < ALLOC_MODEL_MAX)
			REQUIRE(t, alloc_model_take(&model, s.size) && !model.err);
		CHECK(t, !kmalloc_statistics(k, &again));
		CHECK(t, again.slabs <= s.slabs);
		CHECK(t, alloc_model_give_all(&model));
	}
	CHECK(t, all_is_back(&before));
}

/* ---- No memory ---- */

SELFTEST(model_kmalloc_exhausted,
	 "without a page every class says ERR_NOMEM, and works again when there is one")
{
	struct page_statistics before;
	struct kmalloc_statistics s;
	void *chain = NULL;
	struct result_ptr page;

	take_stock(&before);
	while (!(page = page_alloc(0, PAGE_TEST)).err) {
		*(void **)page.value = chain;
		chain = page.value;
	}
	for (u32 k = 0; !kmalloc_statistics(k, &s); k++) {
		CHECK_EQ(t, kmalloc(s.size).err, ERR_NOMEM);
		CHECK_EQ(t, kmalloc_zero(s.size).err, ERR_NOMEM);
	}
	CHECK_EQ(t, kmalloc(KMALLOC_SLAB_MAX + 1).err, ERR_NOMEM);
	for (u32 k = 0; !kmalloc_statistics(k, &s); k++) {
		u32 count = 0;

		page.value = chain; /* one page: one slab of this class, and no more */
		chain = *(void **)chain;
		page_free(page.value, 0);
		alloc_model_init(&model, &kmalloc_allocator);
		do {
			CHECK(t, alloc_model_take(&model, s.size));
			count++;
		} while (!model.err && count < ALLOC_MODEL_MAX);
		CHECK_EQ(t, model.err, ERR_NOMEM);
		CHECK(t, model.count <= PAGE_SIZE / s.size && (IS_ENABLED(CONFIG_ALLOC_DEBUG) ||
							       model.count == PAGE_SIZE / s.size));
		CHECK(t, model.count > 0 && alloc_model_give_all(&model));
		kmalloc_drain();
		page = page_alloc(0, PAGE_TEST);
		REQUIRE(t, !page.err);
		*(void **)page.value = chain;
		chain = page.value;
	}
	while (chain) {
		void *next = *(void **)chain;

		page_free(chain, 0);
		chain = next;
	}
	CHECK(t, all_is_back(&before));
}
