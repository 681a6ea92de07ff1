/*
 * What the buddy allocator is given to work with: runs of frames, at boot.
 *
 * A run's whole chunks are only written down (`fresh`), and taken one by one when nothing smaller is
 * left; so a machine with more memory boots no slower. The chunks at the run's edges are
 * shared with something that is not ours: there every record is made first, as a block of one
 * frame that nobody will ever free, and then the run's part is freed in the largest blocks that
 * fit, which is the same as if somebody had held them until now.
 *
 * A chunk may hold the end of one run and the beginnings of others. Runs come in ascending order, so it
 * is enough to remember up to where records have been made.
 *
 * How many blocks are free is not counted step by step. Taking a block of order o, cut from one of order
 * f, leaves one more free block on each order from o to f - 1, and one fewer on f; giving one back
 * does the reverse. So two counts a call say it all, and whoever wants the numbers adds them up.
 */
#include <mazu/buddy.h>

void buddy_init(struct buddy *buddy, struct frame *frames, u32 count)
{
	*buddy = (struct buddy){ .frames = frames, .frame_count = count };
	/* the list behind the last stays as it is, not even a circle, and so never looks empty */
	for (u32 order = 0; order < BUDDY_ORDERS; order++)
		list_init(&buddy->free[order]);
}

/* The records of the chunk of frame `first`, unless an earlier run had a part in it. */
static void chunk_reserve(struct buddy *buddy, u32 first)
{
	u32 chunk = first & ~(BUDDY_CHUNK - 1);

	if (chunk < buddy->reserved_end)
		return;
	for (u32 i = chunk; i < chunk + BUDDY_CHUNK; i++)
		buddy->frames[i] = (struct frame){ .state = FRAME_RESERVED };
	buddy->reserved_end = chunk + BUDDY_CHUNK;
}

/* Frees [first, end), within one chunk, in the largest blocks that fit. */
static void give_part(struct buddy *buddy, u32 first, u32 end)
{
	if (first < end)
		chunk_reserve(buddy, first);
	while (first < end) {
		u32 order = 0;

		while (first % (2U << order) == 0 && first + (2U << order) <= end)
			order++;
		buddy_free(buddy, &buddy->frames[first], order);
		first += 1U << order;
	}
}

enum error buddy_give(struct buddy *buddy, u32 first, u32 count)
{
	u32 end = first + count;
	struct buddy_run whole = {
		.next = ALIGN_UP(first, BUDDY_CHUNK),
		.end = end & ~(BUDDY_CHUNK - 1),
	};

	if (whole.next >= whole.end) {
		/* at most a part of two chunks */
		give_part(buddy, first, MIN(end, whole.next));
		give_part(buddy, MIN(end, whole.next), end);
		return OK;
	}
	if (buddy->fresh_count == BUDDY_FRESH_MAX)
		return ERR_NOSPC;
	give_part(buddy, first, whole.next);
	buddy->fresh[buddy->fresh_count++] = whole;
	give_part(buddy, whole.end, end);
	return OK;
}

struct result_frame buddy_alloc_fresh(struct buddy *buddy, u64 order)
{
	struct buddy_run *run = &buddy->fresh[buddy->fresh_first];

	if (buddy->fresh_first == buddy->fresh_count)
		return result_frame_err(ERR_NOMEM);

	struct frame *head = &buddy->frames[run->next];

	run->next += BUDDY_CHUNK;
	if (run->next == run->end)
		buddy->fresh_first++;
	buddy_push(buddy, head, BUDDY_ORDER_MAX);
	buddy_count_free(buddy, BUDDY_ORDER_MAX, BUDDY_ORDER_MAX);
	return buddy_alloc(buddy, order);
}

void buddy_blocks(const struct buddy *buddy, u64 blocks[BUDDY_ORDERS])
{
	u64 cut = 0; /* calls that began at or below this order and reached above it */

	for (u32 order = 0; order < BUDDY_ORDERS; order++) {
		cut += buddy->taken[order] - buddy->drawn[order];
		blocks[order] = cut - buddy->drawn[order];
	}
	for (u32 i = buddy->fresh_first; i < buddy->fresh_count; i++)
		blocks[BUDDY_ORDER_MAX] +=
			(buddy->fresh[i].end - buddy->fresh[i].next) / BUDDY_CHUNK;
}
