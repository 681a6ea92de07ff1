/*
 * model_vma.c - sets of areas against the naive model: a long random life, and every range of small sets.
 */
#include "../mm/vma_model.h"
#include "random.h"

#include <mazu/selftest.h>

static struct vma_pair pair;

SELFTEST(model_vma_random, "200000 random calls: every answer and every area is the model's")
{
	u64 seed = 41;
	u32 full = 0;

	vma_pair_init(&pair);
	for (u32 i = 0; i < 200000; i++) {
		REQUIRE(t, vma_pair_step(&pair, random_u64(&seed)));
		full += pair.set.count == CONFIG_VMA_MAX;
		if (i % 5000 == 0) /* and from the start again, where joins are more likely */
			vma_pair_init(&pair);
	}
	CHECK(t, full > 10000);
}

/* Some thirty areas, as a short life leaves them. */
static void random_set(u64 *seed)
{
	vma_pair_init(&pair);
	for (u32 i = 0; i < 40; i++)
		if (!vma_pair_step(&pair, random_u64(seed)))
			return;
}

SELFTEST(model_vma_check_every_range, "in 60 random sets, each range of pages, bytes off either "
				      "end, is allowed as the model says")
{
	u64 seed = 42;

	for (u32 round = 0; round < 60; round++) {
		random_set(&seed);
		for (u32 start = 0; start < 64; start++)
			for (u32 count = 0; count < 24; count++)
				for (u32 off = 0; off < 9; off++) {
					uptr at = MODEL_AT(start) + off % 3 - 1;
					size_t size = count * PAGE_SIZE + off / 3 - 1;

					REQUIRE(t, vma_pair_check(&pair, at, size, 1 + round % 7));
				}
	}
}

SELFTEST(model_vma_check_wild, "200000 random addresses and sizes, the largest among them")
{
	u64 seed = 43;

	random_set(&seed);
	for (u32 i = 0; i < 200000; i++) {
		uptr start = random_u64(&seed) >> random_below(&seed, 64);
		size_t size = random_u64(&seed) >> random_below(&seed, 64);

		if (random_below(&seed, 2))
			start = MODEL_AT(random_below(&seed, MODEL_PAGES));
		if (random_below(&seed, 4) == 0)
			size = -start + random_below(&seed, 3) - 1; /* up to the very end */
		REQUIRE(t, vma_pair_check(&pair, start, size, 1 + random_below(&seed, 7)));
	}
}
