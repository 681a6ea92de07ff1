/*
 * fuzz_buddy.c - the input is what memory there is and what is done with it. Whatever it is, every answer and
 * every list is what the naive model (tests/mm/buddy_model.h) says, and all of it merges again.
 *
 * The first half of the bytes give runs: three bytes each, for a hole and for the frames behind it.
 * The rest are calls: a byte below BUDDY_ORDERS takes a block of that order, any other frees one of
 * those that are held.
 */
#include "fuzz.h"

#include "../mm/buddy_model.h"

static struct buddy_pair pair;

static void give(const u8 *data, size_t size)
{
	u32 at = 0;

	for (size_t i = 0; i + 3 <= size; i += 3) {
		u32 count = 1 + data[i] + 16U * data[i + 1];

		at += data[i + 2];
		if (at + count > MODEL_FRAMES)
			return;
		MUST(buddy_pair_give(&pair, at, count));
		at += count + 1;
	}
}

static void call(u8 byte)
{
	u32 head;

	if (byte < BUDDY_ORDERS) {
		MUST(buddy_pair_alloc(&pair, byte, &head));
		if (head == UINT32_MAX)
			return;
		pair.held[pair.held_count].head = head;
		pair.held[pair.held_count++].order = byte;
	} else if (pair.held_count > 0) {
		u32 i = byte % pair.held_count;

		MUST(buddy_pair_free(&pair, pair.held[i].head, pair.held[i].order));
		pair.held[i] = pair.held[--pair.held_count];
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	size_t half = MIN(size / 2, (size_t)60);
	u32 given;

	buddy_pair_init(&pair);
	give(data, half);
	MUST(buddy_pair_agrees(&pair));
	given = pair.model.free_frames;
	for (size_t i = half; i < MIN(size, half + 300); i++) {
		call(data[i]);
		if (i % 32 == 0)
			MUST(buddy_pair_agrees(&pair));
	}
	MUST(buddy_pair_free_all(&pair) && pair.model.free_frames == given);
	return 0;
}
