/*
 * memmap_model.h - a map of memory with an owner for each page, the obvious way.
 *
 * The map under test covers MODEL_PAGES pages from MODEL_BASE on. Shared by the self-tests, the
 * host's model test and the fuzzer.
 */
#ifndef MAZU_TESTS_MEMMAP_MODEL_H
#define MAZU_TESTS_MEMMAP_MODEL_H

#include <mazu/memmap.h>

#define MODEL_PAGES 256
#define MODEL_BASE 0x80000000UL

struct memmap_pair {
	struct memmap map;
	u32 owner[MODEL_PAGES];
};

enum memmap_change { MEMMAP_ADD, MEMMAP_TAKE, MEMMAP_DROP, MEMMAP_CHANGES };

void memmap_pair_init(struct memmap_pair *pair);

/*
 * One change of [start, start + size), both of them bytes, start from MODEL_BASE on; `owner` is for
 * MEMMAP_TAKE. False where the map does what it must not.
 */
bool memmap_pair_change(struct memmap_pair *pair, enum memmap_change change, u64 start, u64 size,
			u32 owner);

/* Whether the map is sorted, joined and says the same of each page. */
bool memmap_pair_agrees(const struct memmap_pair *pair);

/* Whether memmap_find finds what there is. */
bool memmap_pair_find(const struct memmap_pair *pair, u64 size, u64 from);

#endif
