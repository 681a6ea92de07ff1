/*
 * kmalloc on the machine itself: objects of all sizes, all memory taken and given back, and the
 * accounts. Each test gives back what it took, also when an allocation of it is made to fail.
 */
#include <mazu/arena.h>
#include <mazu/bootargs.h>
#include <mazu/kmalloc.h>
#include <mazu/mem.h>
#include <mazu/pool.h>
#include <mazu/selftest.h>

#define OBJECTS 600

static struct {
	u8 *at;
	size_t size;
} objects[OBJECTS];
static u32 object_count;

static void begin(void)
{
	object_count = 0;
}

/* One more object, filled with a pattern of its own. */
static bool take(size_t size)
{
	struct result_ptr object = kmalloc(size);

	if (object.err || object_count == OBJECTS)
		return false;
	objects[object_count].at = memset(object.value, (int)object_count, size);
	objects[object_count++].size = size;
	return true;
}

static bool is_whole(u32 i)
{
	for (size_t k = 0; k < objects[i].size; k++)
		if (objects[i].at[k] != (u8)i)
			return false;
	return true;
}

/* Gives back those from `first` on, in steps. */
static void give_back(struct selftest *t, u32 first, u32 step)
{
	for (u32 i = first; i < object_count; i += step) {
		CHECK(t, is_whole(i));
		kfree(objects[i].at, objects[i].size);
	}
}

static struct page_statistics pages(void)
{
	struct page_statistics s;

	kmalloc_drain();
	page_cache_drain();
	page_statistics(&s);
	return s;
}

static void check_same_pages(struct selftest *t, const struct page_statistics *before)
{
	struct page_statistics after = pages();

	CHECK_EQ(t, after.free, before->free);
	CHECK_EQ(t, after.held[PAGE_SLAB], before->held[PAGE_SLAB]);
	CHECK_EQ(t, after.held[PAGE_LARGE], before->held[PAGE_LARGE]);
	for (u32 order = 0; order < BUDDY_ORDERS; order++)
		CHECK_EQ(t, after.blocks[order], before->blocks[order]);
}

/* ---- Sizes ---- */

SELFTEST(kmalloc_every_small_size,
	 "each size up to 2 KiB and a bit is aligned and all of it is one's own")
{
	static const u16 edges[] = { 1,	  15,  16,  17,	  31,	32,   33,   48,	  49,	64,  65,
				     96,  97,  128, 129,  192,	193,  256,  257,  384,	385, 512,
				     513, 768, 769, 1023, 1024, 1025, 2047, 2048, 2049, 3000 };

	begin();
	for (u32 round = 0; round < 3; round++)
		for (u32 i = 0; i < ARRAY_SIZE(edges); i++)
			CHECK(t, take(edges[i]));
	for (u32 i = 0; i < object_count; i++)
		CHECK_EQ(t, (uptr)objects[i].at % KMALLOC_ALIGN, 0);
	for (u32 first = 0; first < 5; first++)
		give_back(t, first, 5);
}

SELFTEST(kmalloc_classes, "an object is of the smallest class that holds it")
{
	struct kmalloc_statistics s, before;
	size_t below = 0;

	for (u32 i = 0; !kmalloc_statistics(i, &before); below = before.size, i++) {
		const size_t sizes[] = { below + 1, before.size };

		CHECK(t, before.size > below);
		for (u32 k = 0; k < 2; k++) {
			begin();
			take(sizes[k]);
			CHECK(t, !kmalloc_statistics(i, &s));
			CHECK_EQ(t, s.in_use, before.in_use + object_count);
			give_back(t, 0, 1);
			CHECK(t, !kmalloc_statistics(i, &s));
			CHECK_EQ(t, s.in_use, before.in_use);
		}
	}
	CHECK_EQ(t, below, KMALLOC_SLAB_MAX);
	CHECK_EQ(t, kmalloc_statistics(UINT32_MAX, &s), ERR_NOENT);
}

SELFTEST(kmalloc_large, "above 2 KiB an object is a block of pages, the smallest that holds it")
{
	struct page_statistics before = pages(), during;

	for (u32 order = 0; order <= 6; order++) {
		size_t most = PAGE_SIZE << order;

		const size_t sizes[] = { order ? most / 2 + 1 : KMALLOC_SLAB_MAX + 1, most - 1,
					 most };

		for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
			begin();
			take(sizes[i]);
			page_statistics(&during);
			CHECK_EQ(t, during.held[PAGE_LARGE],
				 before.held[PAGE_LARGE] + ((u64)object_count << order));
			if (object_count)
				CHECK_EQ(t, (uptr)objects[0].at % KMALLOC_ALIGN, 0);
			give_back(t, 0, 1);
		}
	}
	check_same_pages(t, &before);
}

SELFTEST(kmalloc_refuses_sizes,
	 "0 and more than there can be are ERR_INVAL; the largest block can be had")
{
	struct page_statistics before = pages();
	struct result_ptr all = kmalloc(KMALLOC_MAX);

	CHECK(t, !all.err);
	kfree(all.value, KMALLOC_MAX); /* NULL is ignored */
	CHECK_EQ(t, kmalloc(0).err, ERR_INVAL);
	CHECK_EQ(t, kmalloc(KMALLOC_MAX + 1).err, ERR_INVAL);
	CHECK_EQ(t, kmalloc(SIZE_MAX).err, ERR_INVAL);
	CHECK_EQ(t, kmalloc_zero(0).err, ERR_INVAL);
	CHECK_EQ(t, kmalloc_zero(SIZE_MAX).err, ERR_INVAL);
	kfree(NULL, 0);
	kfree(NULL, SIZE_MAX);
	check_same_pages(t, &before);
}

SELFTEST(kmalloc_zeroes, "kmalloc_zero is zero in all its bytes, also where somebody wrote before")
{
	static const size_t sizes[] = { 1, 24, 64, 1000, 2048, 5000 };

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		for (u32 round = 0; round < 3; round++) {
			struct result_ptr object = kmalloc_zero(sizes[i]);

			if (object.err)
				continue;
			for (size_t k = 0; k < sizes[i]; k++)
				CHECK_EQ(t, ((u8 *)object.value)[k], 0);
			memset(object.value, 0xff, sizes[i]);
			kfree(object.value, sizes[i]);
			kmalloc_drain();
		}
}

/* ---- Many ---- */

SELFTEST(kmalloc_many,
	 "hundreds of objects of mixed sizes keep apart; pages come back, whatever the order")
{
	struct page_statistics before = pages();

	for (u32 step = 1; step <= 7; step += 3) {
		begin();
		for (u32 i = 0; i < OBJECTS / 4 * step / 2 && i < OBJECTS; i++)
			take(1 + i * 61 % 700);
		for (u32 first = step; first-- > 0;)
			give_back(t, first, step);
	}
	check_same_pages(t, &before);
}

SELFTEST(kmalloc_slabs,
	 "every object of some slabs of a class; full, partial, empty, and full again")
{
	struct page_statistics before = pages(), full, again;
	u32 count = 3 * PAGE_SIZE / 256;

	begin();
	while (object_count < count && take(256))
		;
	page_statistics(&full);
	CHECK(t, full.held[PAGE_SLAB] >= before.held[PAGE_SLAB] + 3);
	for (u32 i = 0; i < object_count; i += 2) {
		CHECK(t, is_whole(i));
		kfree(objects[i].at, 256);
	}
	kmalloc_drain();
	for (u32 i = 0; i < object_count; i += 2) {
		struct result_ptr object = kmalloc(256);

		objects[i].size = object.err ? 0 : 256;
		objects[i].at = object.err ? NULL : memset(object.value, (int)i, 256);
	}
	page_statistics(&again); /* the holes are filled before another page is taken */
	CHECK(t, again.held[PAGE_SLAB] <= full.held[PAGE_SLAB]);
	give_back(t, 1, 2);
	kmalloc_drain();
	give_back(t, 0, 2);
	check_same_pages(t, &before);
}

SELFTEST(kmalloc_reserves,
	 "what is kept at hand is bounded, and kmalloc_drain gives all of it back")
{
	struct kmalloc_statistics s;
	u32 index = 3; /* 64 bytes */

	begin();
	while (object_count < OBJECTS && take(64))
		;
	give_back(t, 0, 1);
	CHECK(t, !kmalloc_statistics(index, &s));
	CHECK_EQ(t, s.size, 64);
	CHECK(t, s.reserved <= 16 + 128); /* a magazine, and debug builds' quarantine */
	kmalloc_drain();
	CHECK(t, !kmalloc_statistics(index, &s));
	CHECK_EQ(t, s.reserved, 0);
	CHECK(t, s.slabs <= s.in_use);
}

SELFTEST(kmalloc_over_the_edge, "back and forth over a magazine's edges moves no page")
{
	struct page_statistics before, after;
	u32 count;

	begin();
	while (object_count < 40 && take(128))
		;
	count = object_count;
	page_statistics(&before);
	for (u32 round = 0; round < 50 && count == 40; round++) {
		u32 n = 1 + round % 20;

		for (u32 i = 0; i < n; i++)
			kfree(objects[--object_count].at, 128);
		for (u32 i = 0; i < n; i++)
			take(128);
		if (object_count < 40)
			break; /* injected */
	}
	page_statistics(&after);
	CHECK(t, after.held[PAGE_SLAB] <= before.held[PAGE_SLAB] + 8); /* the quarantine's */
	give_back(t, 0, 1);
}

/* ---- Exhaustion ---- */

struct held {
	struct held *next;
	size_t size;
};

/* Takes objects of a size until there are no more; returns the chain. */
static struct held *take_all(size_t size, struct held *chain)
{
	struct result_ptr object;

	while (!(object = kmalloc(size)).err) {
		*(struct held *)object.value = (struct held){ chain, size };
		chain = object.value;
	}
	return chain;
}

SELFTEST(kmalloc_exhausted,
	 "all memory can be had; then ERR_NOMEM; freed, it can be had again, to the page")
{
	struct page_statistics before = pages(), none;

	if (!bootargs_find(STR("failalloc")).err)
		SKIP(t, "takes too long to be run for each of its allocations");
	if (before.free > 256 << (20 - PAGE_SHIFT))
		SKIP(t, "more than 256 MiB");
	for (u32 round = 0; round < 2; round++) {
		struct held *chain = NULL;

		for (size_t size = KMALLOC_MAX; size >= 16; size /= 2)
			chain = take_all(size, chain);
		page_statistics(&none);
		CHECK_EQ(t, none.free, 0);
		CHECK_EQ(t, kmalloc(16).err, ERR_NOMEM);
		CHECK_EQ(t, kmalloc_zero(2048).err, ERR_NOMEM);
		CHECK_EQ(t, kmalloc(KMALLOC_MAX).err, ERR_NOMEM);
		while (chain) {
			struct held *next = chain->next;

			kfree(chain, chain->size);
			chain = next;
		}
		check_same_pages(t, &before);
	}
}

/* ---- Behind the table ---- */

static void exercise(struct selftest *t, struct allocator *allocator)
{
	struct result_ptr one = allocator_alloc(allocator, 40);
	struct result_ptr two = allocator_alloc(allocator, 40);

	CHECK_EQ(t, allocator_alloc(allocator, 0).err, ERR_INVAL);
	if (!one.err && !two.err) {
		memset(one.value, 1, 40);
		memset(two.value, 2, 40);
		CHECK_EQ(t, ((u8 *)one.value)[39], 1);
	}
	if (!one.err)
		allocator_free(allocator, one.value, 40);
	if (!two.err)
		allocator_free(allocator, two.value, 40);
}

SELFTEST(kmalloc_behind_the_table, "whoever takes an allocator can be given any of the three")
{
	static u8 memory[256] __attribute__((aligned(16)));
	struct page_statistics before = pages();
	struct arena arena;
	struct pool pool;

	CHECK_STR_EQ(t, kmalloc_allocator.ops->name, STR("kmalloc"));
	exercise(t, &kmalloc_allocator);
	CHECK_EQ(t, pool_init(&pool, (struct byte_array){ memory, sizeof(memory) }, 48), OK);
	exercise(t, &pool.allocator);
	CHECK_EQ(t, pool.in_use, 0);
	arena_init(&arena, &kmalloc_allocator, 512, 4096);
	exercise(t, &arena.allocator);
	arena_release(&arena);
	check_same_pages(t, &before);
}

SELFTEST(kmalloc_under_an_arena,
	 "an arena's chunks are kmalloc's; the limit holds; release gives all back")
{
	struct page_statistics before = pages();
	struct arena arena;
	size_t bytes = 0;

	arena_init(&arena, &kmalloc_allocator, 1024, 64 << 10);
	for (u32 i = 0; i < 500; i++) {
		size_t size = 1 + i * 53 % 1500;
		struct result_ptr piece = arena_alloc(&arena, size);

		if (piece.err)
			continue;
		memset(piece.value, 0xff, size);
		bytes += size;
	}
	CHECK(t, bytes > 32 << 10);
	CHECK(t, arena.used <= 64 << 10);
	arena_reset(&arena);
	CHECK(t, arena.used <= 1024);
	arena_release(&arena);
	check_same_pages(t, &before);
}
