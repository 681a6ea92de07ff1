/*
 * fuzz_vma.c - the input is calls on a set of areas. Whatever they are, every answer and every area is
 * what the naive model (tests/mm/vma_model.h) says.
 *
 * Five bytes a call: which one, the first page, how many pages, rights and kind, and by how many bytes
 * the ends are off.
 */
#include "fuzz.h"

#include "../mm/vma_model.h"

static struct vma_pair pair;

/* Mostly good ranges; an end that is off is refused, so it may lie anywhere. */
static struct vma range_of(const u8 *call)
{
	u32 first = call[1] % MODEL_PAGES, count = call[2] % 16;
	u32 end = MIN(first + count, (u32)MODEL_PAGES);
	struct vma range = { MODEL_AT(first), MODEL_AT(end), call[3] & 15, call[3] >> 4 & 3 };

	if (call[4] >= 250)
		range.start += call[4] - 249;
	else if (call[4] >= 244)
		range.end -= call[4] - 243;
	else if (call[4] == 243)
		range.end = range.start & ~(uptr)0xfffff; /* below */
	return range;
}

static bool answer_agrees(const u8 *call)
{
	struct vma range = range_of(call);

	switch (call[0] % 8) {
	case 0:
	case 1:
	case 2: return vma_pair_insert(&pair, range);
	case 3: return vma_pair_remove(&pair, range.start, range.end);
	case 4:
	case 5: return vma_pair_protect(&pair, range.start, range.end, range.rights);
	case 6:
		return vma_pair_find_gap(&pair, call[1] % MODEL_PAGES, call[3] % MODEL_PAGES,
					 (1 + call[2] % 64) * PAGE_SIZE);
	default:
		return vma_pair_check(&pair, range.start + call[4] % 3 - 1,
				      call[3] & 64 ? (size_t)call[2] << 56 | call[4]
						   : range.end - range.start + call[4] % 5 - 2,
				      1 + range.rights % 7);
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	vma_pair_init(&pair);
	for (size_t i = 0; i + 5 <= size && i < 2000; i += 5)
		MUST(answer_agrees(data + i) && vma_pair_agrees(&pair));
	return 0;
}
