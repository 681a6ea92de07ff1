/*
 * The naive model of the buddy allocator: see buddy_model.h.
 */
#include "buddy_model.h"

#include "../host/random.h"

#include <mazu/mem.h>

#define NO_ORDER BUDDY_ORDERS

static bool all_are(const struct buddy_model *model, u32 first, u32 order, u8 is_free)
{
	for (u32 i = first; i < first + (1U << order); i++)
		if (model->is_free[i] != is_free)
			return false;
	return true;
}

static void set_all(struct buddy_model *model, u32 first, u32 count, u8 is_free)
{
	memset(&model->is_free[first], is_free, count);
	model->free_frames = is_free ? model->free_frames + count : model->free_frames - count;
}

/* The order of the free block that begins at a frame; NO_ORDER: none does. */
static u32 block_order(const struct buddy_model *model, u32 first)
{
	u32 order = NO_ORDER;

	for (u32 o = 0; o < BUDDY_ORDERS && first % (1U << o) == 0; o++)
		if (all_are(model, first, o, true))
			order = o;
	if (order == NO_ORDER)
		return NO_ORDER;

	/* not if it is the upper part of a larger one */
	u32 parent = first & ~((2U << order) - 1);

	return order < BUDDY_ORDER_MAX && all_are(model, parent, order + 1, true) ? NO_ORDER
										  : order;
}

/* How many free blocks there are of each order. */
static void count_blocks(const struct buddy_model *model, u64 blocks[BUDDY_ORDERS])
{
	memset(blocks, 0, BUDDY_ORDERS * sizeof(*blocks));
	for (u32 i = 0; i < MODEL_FRAMES;) {
		u32 order = block_order(model, i);

		if (order == NO_ORDER) {
			i++;
		} else {
			blocks[order]++;
			i += 1U << order;
		}
	}
}

/* The free block that holds a frame: its order. */
static u32 order_around(const struct buddy_model *model, u32 frame)
{
	for (u32 o = 0; o < BUDDY_ORDERS; o++) {
		u32 first = frame & ~((1U << o) - 1);

		if (block_order(model, first) == o)
			return o;
	}
	return NO_ORDER;
}

void buddy_pair_init(struct buddy_pair *pair)
{
	memset(pair, 0, sizeof(*pair));
	for (u32 i = 0; i < MODEL_FRAMES; i++)
		pair->frames[i] = (struct frame){ .state = (u8)(FRAME_FREE + i % BUDDY_ORDERS) };
	buddy_init(&pair->buddy, pair->frames, MODEL_FRAMES);
}

bool buddy_pair_give(struct buddy_pair *pair, u32 first, u32 count)
{
	if (buddy_give(&pair->buddy, first, count))
		return false;
	set_all(&pair->model, first, count, true);
	return true;
}

bool buddy_pair_alloc(struct buddy_pair *pair, u32 order, u32 *head)
{
	struct result_frame taken = buddy_alloc(&pair->buddy, order);
	u64 blocks[BUDDY_ORDERS];
	u32 smallest = order;

	count_blocks(&pair->model, blocks);
	while (smallest < BUDDY_ORDERS && blocks[smallest] == 0)
		smallest++;
	*head = UINT32_MAX;
	if (taken.err)
		return taken.err == ERR_NOMEM && smallest == BUDDY_ORDERS;

	u64 number = (u64)(taken.value - pair->frames);

	if (number >= MODEL_FRAMES || number % (1U << order) != 0 ||
	    taken.value->state != FRAME_HELD || !all_are(&pair->model, (u32)number, order, true) ||
	    order_around(&pair->model, (u32)number) != smallest)
		return false;
	*head = (u32)number;
	set_all(&pair->model, *head, 1U << order, false);
	return true;
}

bool buddy_pair_free(struct buddy_pair *pair, u32 head, u32 order)
{
	if (!all_are(&pair->model, head, order, false))
		return false;
	buddy_free(&pair->buddy, &pair->frames[head], order);
	set_all(&pair->model, head, 1U << order, true);
	return true;
}

static bool is_fresh(const struct buddy *buddy, u32 frame)
{
	for (u32 i = buddy->fresh_first; i < buddy->fresh_count; i++)
		if (frame >= buddy->fresh[i].next && frame < buddy->fresh[i].end)
			return true;
	return false;
}

/* Whether a list is a circle of free blocks of this order, as many as it should be. */
static bool list_agrees(const struct buddy_pair *pair, u32 order, u64 count)
{
	const struct list *head = &pair->buddy.free[order];

	for (const struct list *at = head->next; at != head; at = at->next) {
		u64 number =
			(u64)(container_of((struct list *)at, struct frame, link) - pair->frames);

		if (number >= MODEL_FRAMES || at->next->prev != at || count-- == 0 ||
		    block_order(&pair->model, (u32)number) != order ||
		    pair->frames[number].state != FRAME_FREE + order)
			return false;
	}
	return head->next->prev == head && count == 0;
}

bool buddy_pair_agrees(const struct buddy_pair *pair)
{
	u64 expected[BUDDY_ORDERS], found[BUDDY_ORDERS], fresh = 0, frames = 0;

	count_blocks(&pair->model, expected);
	buddy_blocks(&pair->buddy, found);
	for (u32 i = 0; i < MODEL_FRAMES; i += BUDDY_CHUNK)
		fresh += is_fresh(&pair->buddy, i);
	for (u32 order = 0; order < BUDDY_ORDERS; order++) {
		u64 listed = order == BUDDY_ORDER_MAX ? expected[order] - fresh : expected[order];

		if (found[order] != expected[order] || !list_agrees(pair, order, listed))
			return false;
		frames += expected[order] << order;
	}
	return frames == pair->model.free_frames;
}

/* ---- Random calls ---- */

/* Small orders more often than large ones. */
static u32 random_order(u64 *seed)
{
	return random_below(seed, 1 + random_below(seed, BUDDY_ORDERS));
}

static bool random_alloc(struct buddy_pair *pair, u64 *seed)
{
	u32 order = random_order(seed), head;

	if (!buddy_pair_alloc(pair, order, &head))
		return false;
	if (head == UINT32_MAX)
		return true;
	pair->held[pair->held_count].head = head;
	pair->held[pair->held_count++].order = order;
	return true;
}

static bool free_held(struct buddy_pair *pair, u32 i)
{
	u32 head = pair->held[i].head, order = pair->held[i].order;

	pair->held[i] = pair->held[--pair->held_count];
	return buddy_pair_free(pair, head, order);
}

bool buddy_pair_random(struct buddy_pair *pair, u64 *seed, u32 calls)
{
	for (u32 i = 0; i < calls; i++) {
		u32 odds = i / 128 % 2 ? 35 : 65; /* that a block is taken, of 100 */
		bool alloc = pair->held_count == 0 || random_below(seed, 100) < odds;

		if (alloc ? !random_alloc(pair, seed)
			  : !free_held(pair, random_below(seed, pair->held_count)))
			return false;
		if (i % 16 == 0 && !buddy_pair_agrees(pair))
			return false;
	}
	return buddy_pair_agrees(pair);
}

bool buddy_pair_free_all(struct buddy_pair *pair)
{
	while (pair->held_count > 0)
		if (!free_held(pair, pair->held_count - 1))
			return false;
	return buddy_pair_agrees(pair);
}
