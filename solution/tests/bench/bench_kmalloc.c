/*
 * Objects: what a pair of calls costs in the steady state, what the worst call costs when it must go to
 * the slabs and to the pages, and the two allocators that promise to cost next to nothing.
 */
#include <arch/cpu.h>
#include <mazu/arena.h>
#include <mazu/bench.h>
#include <mazu/kmalloc.h>
#include <mazu/panic.h>
#include <mazu/pool.h>

/* ---- kmalloc_free_64: an object that is at hand ---- */

static void steady_begin(void)
{
	kfree(kmalloc(64).value, 64);
}

BENCHMARK(kmalloc_free_64, steady_begin, NULL)
{
	kfree(kmalloc(64).value, 64);
	return 0;
}

/* ---- kmalloc_worst, kfree_worst: with nothing in reserve, of all sizes; magazines included ---- */

#define OBJECTS 64 /* some slabs of each class, and more than a magazine holds */

struct cost {
	u64 alloc, free;
};

static void *objects[OBJECTS];

static u64 empty_cost(void)
{
	u64 start = arch_cycles();

	return arch_cycles() - start;
}

static u64 alloc_worst(size_t size)
{
	u64 worst = 0, empty = empty_cost();

	for (u32 i = 0; i < OBJECTS; i++) {
		u64 start = arch_cycles();
		struct result_ptr object = kmalloc(size);
		u64 cost = arch_cycles() - start - empty;

		objects[i] = object.value;
		worst = MAX(worst, cost);
	}
	return worst;
}

static u64 free_worst(size_t size)
{
	u64 worst = 0, empty = empty_cost();

	for (u32 i = 0; i < OBJECTS; i++) {
		u64 start = arch_cycles();

		kfree(objects[i], size);

		u64 cost = arch_cycles() - start - empty;

		worst = MAX(worst, cost);
	}
	return worst;
}

static struct cost size_cost(size_t size)
{
	kmalloc_drain();
	page_cache_drain();

	u64 alloc = alloc_worst(size);

	return (struct cost){ alloc, free_worst(size) };
}

static struct cost worst_cost(void)
{
	struct cost worst = { 0, 0 };

	for (size_t size = 16; size <= KMALLOC_SLAB_MAX; size *= 2) {
		struct cost cost = size_cost(size);

		worst.alloc = MAX(worst.alloc, cost.alloc);
		worst.free = MAX(worst.free, cost.free);
	}
	return worst;
}

BENCHMARK(kmalloc_worst, NULL, NULL)
{
	return worst_cost().alloc;
}

BENCHMARK(kfree_worst, NULL, NULL)
{
	return worst_cost().free;
}

/* ---- pool_alloc_free ---- */

static struct pool pool;
static u8 pool_memory[16 * 64] __attribute__((aligned(16)));

static void pool_begin(void)
{
	if (pool_init(&pool, BYTE_ARRAY(pool_memory), 64))
		panic("bench: no pool");
}

BENCHMARK(pool_alloc_free, pool_begin, NULL)
{
	pool_free(&pool, pool_alloc(&pool).value);
	return 0;
}

/* ---- arena_alloc: from the chunk at hand ---- */

static struct arena arena;

static void arena_begin(void)
{
	struct result_ptr piece;

	arena_init(&arena, &kmalloc_allocator, (size_t)64 << 10, SIZE_MAX);
	piece = arena_alloc(&arena, 16);
	if (piece.err)
		panic("bench: no arena");
}

static void arena_end(void)
{
	arena_release(&arena);
}

BENCHMARK(arena_alloc, arena_begin, arena_end)
{
	return arena_alloc(&arena, 48).err;
}
