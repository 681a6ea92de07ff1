/*
 * model_arena.c - arenas of random shapes on kmalloc, against the map of live objects and a sum of bytes.
 */
#include "../mm/alloc_model.h"
#include "random.h"

#include <mazu/arena.h>
#include <mazu/fault_inject.h>
#include <mazu/kmalloc.h>
#include <mazu/selftest.h>

#include <stdlib.h>

static struct alloc_model model;

/* ---- A parent that counts, on the way to the libc, whose sanitizer knows the ends of each chunk ---- */

static size_t given;

static struct result_ptr counting_alloc(struct allocator *allocator, size_t size)
{
	void *chunk = size > 1 << 20 ? NULL : malloc(size);

	(void)allocator;
	if (!chunk)
		return result_ptr_err(ERR_NOMEM);
	given += size;
	return result_ptr_ok(chunk);
}

static void counting_free(struct allocator *allocator, void *object, size_t size)
{
	(void)allocator;
	given -= size;
	free(object);
}

static const struct allocator_ops counting_ops = { STR("counting"), counting_alloc, counting_free };
static struct allocator counting = { &counting_ops };

static bool injected(void)
{
	return IS_ENABLED(CONFIG_FAULT_INJECTION) && fault_inject_fired();
}

/* Whether a failure was to be: a chunk of its own or a usual one would have exceeded the limit. */
static bool may_fail(const struct arena *arena, size_t size)
{
	size_t need = ALIGN_UP(size, 16) + 16;

	return injected() || need < size || need > 1 << 20 ||
	       MAX(need, arena->chunk_size) > arena->limit - arena->used;
}

static size_t random_size(const struct arena *arena, u64 *seed)
{
	switch (random_below(seed, 16)) {
	case 0: return SIZE_MAX - random_below(seed, 40);
	case 1: return arena->chunk_size - 32 + random_below(seed, 48);
	case 2: return 1 + random_below(seed, 5000);
	default: return 1 + random_below(seed, 200);
	}
}

static bool step(struct arena *arena, u64 *seed)
{
	u32 choice = random_below(seed, 200);
	size_t size = random_size(arena, seed);
	bool fits = size <= (size_t)(arena->end - arena->next);

	if (choice < 2) {
		bool whole = alloc_model_forget_all(&model);

		if (choice == 0)
			arena_reset(arena);
		else
			arena_release(arena);
		return whole &&
		       (arena->used == 0 || (choice == 0 && arena->used == arena->chunk_size));
	}
	if (model.count == ALLOC_MODEL_MAX)
		return alloc_model_is_whole(&model, random_below(seed, model.count));

	bool may = may_fail(arena, size);

	if (!alloc_model_take(&model, size))
		return false;
	if (model.err != OK && !injected())
		return model.err == ERR_NOMEM && may && !fits;
	if (injected())
		fault_inject_set(1 + random_below(seed, 30));
	return true;
}

SELFTEST(model_arena_random,
	 "arenas of 200 shapes, 500 random calls each: no overlap, the limit holds, all comes back")
{
	u64 seed = 62;

	for (u32 round = 0; round < 200; round++) {
		size_t chunk_size = 64 + 16 * random_below(&seed, 100);
		size_t limit = round % 3 ? 1 + random_below(&seed, 60000) : SIZE_MAX;
		struct arena arena;

		arena_init(&arena, &counting, chunk_size, limit);
		alloc_model_init(&model, &arena.allocator);
		if (IS_ENABLED(CONFIG_FAULT_INJECTION))
			fault_inject_set(round % 4 == 0 ? 3 : 0);
		for (u32 i = 0; i < 500; i++) {
			REQUIRE(t, step(&arena, &seed));
			CHECK(t, arena.used == given && arena.used <= limit);
		}
		if (IS_ENABLED(CONFIG_FAULT_INJECTION))
			fault_inject_set(0);
		CHECK(t, alloc_model_forget_all(&model));
		arena_release(&arena);
		CHECK_EQ(t, given, 0);
	}
}

SELFTEST(model_arena_reset_is_enough,
	 "requests that fit into one chunk take no memory from the second on")
{
	struct arena arena;
	u64 seed = 63;

	arena_init(&arena, &kmalloc_allocator, 4096, SIZE_MAX);
	alloc_model_init(&model, &arena.allocator);
	for (u32 round = 0; round < 100; round++) {
		for (u32 i = 0; i < 20; i++)
			REQUIRE(t, alloc_model_take(&model, 1 + random_below(&seed, 180)));
		CHECK_EQ(t, arena.used, 4096);
		CHECK(t, alloc_model_forget_all(&model));
		arena_reset(&arena);
	}
	arena_release(&arena);
}
