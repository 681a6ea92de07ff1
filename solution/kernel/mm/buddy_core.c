/*
 * The buddy system: splitting and merging.
 *
 * To allocate a block, take the smallest free one that is large enough. While it is larger than it
 * need be, cut it in two: the upper half goes on the list of its order, the lower half is cut on.
 *
 * To free a block, look at its buddy, the other half of the block that both once were. If that is
 * free as a whole, the two become one block again, and the same question is asked of it; when the
 * answer is no, or the block is as large as blocks get, it goes on the list of its order.
 *
 * What makes this cheap is the numbering. A block of 2^k frames begins at a multiple of 2^k, so
 * its buddy's number differs from its own in bit k and in nothing else, and the lower of the two
 * is where both begin. And a buddy that is not one free block is still the head of a block, held or
 * smaller, so its record says so: one look at one record decides, whatever the memory holds.
 *
 *	order 1    [ 4 5 ][ 6 7 ]	the buddy of block 6 is 4: 6 ^ (1 << 1)
 *	order 2    [ 4 5   6 7 ]	and both begin at 4: 6 & 4
 *
 * No loop goes round more than BUDDY_ORDERS times. Source: Knowlton 1965; TAOCP 1, section 2.5,
 * algorithms R and S.
 */
#include <mazu/buddy.h>

struct result_frame buddy_alloc(struct buddy *buddy, u64 order)
{
	u64 from = order;

	while (buddy_is_empty(buddy, from))
		from++;
	if (from == BUDDY_ORDERS)
		return buddy_alloc_fresh(buddy, order);

	struct frame *head = buddy_first(buddy, from);
	u64 half = from;

	buddy_remove(head);
	while (half > order) {
		half--;
		buddy_push(buddy, head + (1UL << half), half);
	}
	head->state = FRAME_HELD;
	buddy_count_alloc(buddy, order, from);
	return result_frame_ok(head);
}

void buddy_free(struct buddy *buddy, struct frame *head, u64 order)
{
	u64 number = (u64)(head - buddy->frames);
	u64 into = order;

	while (into < BUDDY_ORDER_MAX) {
		u64 other = number ^ (1UL << into);

		if (!buddy_is_free(&buddy->frames[other], into))
			break;
		buddy_remove(&buddy->frames[other]);
		number &= other;
		into++;
	}
	buddy_push(buddy, &buddy->frames[number], into);
	buddy_count_free(buddy, order, into);
}
