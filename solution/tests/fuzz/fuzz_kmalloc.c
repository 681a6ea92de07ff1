/*
 * fuzz_kmalloc.c - the input is what is asked of kmalloc, of a pool and of an arena on kmalloc, and when
 * there is no memory. Whatever it is, no two live objects share a byte, none is written to by an
 * allocator, and in the end every page comes back.
 *
 * A call is a byte that says what, and two more that say how much, or which.
 */
#include "fuzz.h"

#include "../host/machine.h"
#include "../mm/alloc_model.h"

#include <mazu/arena.h>
#include <mazu/fault_inject.h>
#include <mazu/kmalloc.h>
#include <mazu/mem.h>
#include <mazu/pool.h>

#define CALLS_MAX 2000

static struct alloc_model objects, pool_objects, pieces;
static u8 pool_memory[2048] __attribute__((aligned(16)));
static struct pool pool;
static struct arena arena;

static void take(struct alloc_model *model, size_t size)
{
	if (model->count == ALLOC_MODEL_MAX)
		return;
	MUST(alloc_model_take(model, size));
	if (model->allocator == &kmalloc_allocator && (size == 0 || size > KMALLOC_MAX))
		MUST(model->err);
	else if (model->allocator == &kmalloc_allocator)
		MUST(model->err != ERR_INVAL);
}

static void give(struct alloc_model *model, u32 which)
{
	if (model->count > 0)
		MUST(alloc_model_give(model, which % model->count));
}

/* An eighth of the sizes are large, some of them larger than there is. */
static size_t size_of(u32 number)
{
	return number < 0xe000 ? number % 2100 : (size_t)(number - 0xe000) << number % 12;
}

static void call(u8 what, u32 number)
{
	switch (what % 16) {
	default: take(&objects, size_of(number)); break;
	case 6:
	case 7:
	case 8: give(&objects, number); break;
	case 9: take(&pool_objects, number % (pool.object_size + 2)); break;
	case 10: give(&pool_objects, number); break;
	case 11:
	case 12: take(&pieces, size_of(number)); break;
	case 13:
		MUST(alloc_model_forget_all(&pieces));
		if (number % 4 == 0)
			arena_release(&arena);
		else
			arena_reset(&arena);
		MUST(arena.used == 0 || arena.used == arena.chunk_size);
		break;
	case 14: fault_inject_set(number % 8); break;
	case 15: kmalloc_drain(); break;
	}
	MUST(pool.in_use == pool_objects.count && arena.used <= arena.limit);
}

/* The first bytes are the pool's object size, the arena's chunk size and its limit. */
static void begin(const u8 *data)
{
	size_t chunk_size = 64 + 16 * (size_t)data[1];

	MUST(!pool_init(&pool, BYTE_ARRAY(pool_memory), 1 + data[0]));
	arena_init(&arena, &kmalloc_allocator, chunk_size, (size_t)data[2] << 10);
	alloc_model_init(&objects, &kmalloc_allocator);
	alloc_model_init(&pool_objects, &pool.allocator);
	alloc_model_init(&pieces, &arena.allocator);
}

static void end(void)
{
	fault_inject_set(0);
	MUST(alloc_model_give_all(&objects) && alloc_model_give_all(&pool_objects));
	MUST(alloc_model_forget_all(&pieces) && pool.in_use == 0);
	arena_release(&arena);
	MUST(arena.used == 0);
}

static struct page_statistics pages(void)
{
	struct page_statistics s;

	kmalloc_drain();
	page_cache_drain();
	page_statistics(&s);
	return s;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static bool started;
	struct page_statistics before, after;

	if (!started)
		machine_start();
	started = true;
	if (size < 3)
		return 0;
	before = pages();
	begin(data);
	for (size_t i = 3; i + 3 <= MIN(size, (size_t)(3 * CALLS_MAX)); i += 3)
		call(data[i], data[i + 1] | (u32)data[i + 2] << 8);
	end();
	after = pages();
	MUST(memcmp(&before, &after, sizeof(before)) == 0 && after.held[PAGE_SLAB] == 0);
	return 0;
}
