/*
 * model_pool.c - pools of random shapes against the map of live objects.
 */
#include "../mm/alloc_model.h"
#include "random.h"

#include <mazu/fault_inject.h>
#include <mazu/pool.h>
#include <mazu/selftest.h>

#include <string.h>

#define ROOM 8192
#define GUARD 64

static u8 memory[ROOM + GUARD] __attribute__((aligned(16)));
static struct alloc_model model;

static bool injected(void)
{
	return IS_ENABLED(CONFIG_FAULT_INJECTION) && fault_inject_fired();
}

static bool step(struct pool *pool, size_t size, u64 *seed)
{
	if (random_below(seed, 2)) {
		bool full = pool->in_use == pool->capacity;
		bool good = alloc_model_take(&model, size);

		if (injected())
			fault_inject_set(1 + random_below(seed, 60));
		else if ((model.err != OK) != full)
			return false;
		return good && (model.err == OK || model.err == ERR_NOMEM);
	}
	return model.count == 0 || alloc_model_give(&model, random_below(seed, model.count));
}

static bool guard_is_there(void)
{
	for (u32 i = 0; i < GUARD; i++)
		if (memory[ROOM + i] != 0xc3)
			return false;
	return true;
}

SELFTEST(model_pool_random,
	 "pools of 200 shapes, 1000 random calls each: every object once, until all are out")
{
	u64 seed = 61;

	for (u32 round = 0; round < 200; round++) {
		size_t size = 1 + random_below(&seed, 1 + random_below(&seed, 900));
		size_t len = ROOM - random_below(&seed, 1 + round % 2 * 4000);
		struct pool pool;

		memset(memory, 0xc3, sizeof(memory));
		REQUIRE(t, !pool_init(&pool, (struct byte_array){ memory, len }, size));
		CHECK_EQ(t, pool.capacity, len / ALIGN_UP(size, 16));
		alloc_model_init(&model, &pool.allocator);
		if (IS_ENABLED(CONFIG_FAULT_INJECTION))
			fault_inject_set(round % 4 == 0 ? 10 : 0);
		for (u32 i = 0; i < 1000; i++) {
			REQUIRE(t, step(&pool, size, &seed));
			CHECK_EQ(t, pool.in_use, model.count);
		}
		if (IS_ENABLED(CONFIG_FAULT_INJECTION))
			fault_inject_set(0);
		CHECK(t, alloc_model_give_all(&model) && guard_is_there());
		CHECK_EQ(t, pool.in_use, 0);
	}
}
