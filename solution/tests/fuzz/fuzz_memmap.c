/*
 * fuzz_memmap.c - the input is a list of claims about memory, eight bytes each. Whatever it is, the map is sorted
 * and joined and says of each page what the naive model (tests/mm/memmap_model.h) says.
 */
#include "fuzz.h"

#include "../mm/memmap_model.h"

#include <mazu/page.h>

static struct memmap_pair pair;

static void change(const u8 *claim)
{
	u64 start = MODEL_BASE + (u64)claim[0] * PAGE_SIZE + claim[1] * 16;
	u64 size = (u64)claim[2] << (claim[3] % 64) | claim[4];

	MUST(memmap_pair_change(&pair, claim[5] % MEMMAP_CHANGES, start, size, claim[6] % 4));
	MUST(memmap_pair_agrees(&pair));
	MUST(memmap_pair_find(&pair, (u64)claim[7] * 64, start));
	MUST(memmap_pair_find(&pair, PAGE_SIZE, 0));
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	memmap_pair_init(&pair);
	for (size_t i = 0; i + 8 <= size && i < 8 * 256; i += 8)
		change(data + i);
	return 0;
}
