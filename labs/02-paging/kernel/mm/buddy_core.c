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
	/*
	 * Find the smallest order, from the one asked for upwards, whose list is not empty
	 * (buddy_is_empty). The list of BUDDY_ORDERS, behind the last, never is, so the search
	 * ends; if it ends there, nothing is free, and buddy_alloc_fresh() goes on in your
	 * place. Otherwise take the list's first block off (buddy_first, buddy_remove) and
	 * halve it until it has the order asked for: each time one half goes on the list of its
	 * own order (buddy_push), and you go on with the other. Mark the head FRAME_HELD, count
	 * what you did (buddy_count_alloc), and return it.
	 */
	LAB_TODO(2, 1);
}

void buddy_free(struct buddy *buddy, struct frame *head, u64 order)
{
	/*
	 * Work with the frame's number, head - buddy->frames. The buddy of a block of 2^k
	 * frames is at number ^ (1 << k). If its record says that it is a free block of this
	 * very order (buddy_is_free), take it off its list (buddy_remove) and go on with both
	 * as one block of the next order, which begins at the lower of the two. Stop at
	 * BUDDY_ORDER_MAX, or where the buddy is not free as a whole. Put what you have on the
	 * list of its order (buddy_push), and count what you did (buddy_count_free).
	 */
	LAB_TODO(2, 1);
}
/* mazu: lab 2 interface 78a1d003a12c */
