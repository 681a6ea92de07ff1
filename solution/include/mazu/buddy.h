/*
 * buddy.h - blocks of 2^order frames, split and merged.
 *
 * The allocator knows frames by number, 0 .. frame_count - 1, and nothing of addresses: page.c
 * translates, and lays the memory's ranges side by side so that the numbers have no holes. Each
 * block of 2^k frames begins at a multiple of 2^k. Its buddy is the other half of the block of
 * 2^(k+1) that both came from: their numbers differ in bit k only.
 *
 * Invariants, outside of the functions here:
 *   - The frames are tiled by blocks; the record of a block's first frame (its head) says whose it is.
 *   - A free block is on the list of its order, which its head says, too; no two are buddies.
 *   - Memory that was never used is one run of the largest blocks, `fresh`; its records are not
 *     even written, so that the boot costs the same for any amount of memory.
 * So the buddy of a block smaller than the largest is always the head of some block, and its
 * record can be trusted.
 *
 * Cost: alloc and free take at most BUDDY_ORDER_MAX steps. The caller holds a lock.
 *
 * Source: K. C. Knowlton, "A Fast Storage Allocator", CACM 8(10), 1965; D. E. Knuth, TAOCP 1, 2.5.
 */
#ifndef MAZU_BUDDY_H
#define MAZU_BUDDY_H

#include <mazu/error.h>
#include <mazu/list.h>
#include <mazu/types.h>

#define BUDDY_ORDER_MAX 10
#define BUDDY_ORDERS (BUDDY_ORDER_MAX + 1)
#define BUDDY_CHUNK (1U << BUDDY_ORDER_MAX) /* frames in a largest block */
#define BUDDY_FRESH_MAX 40

enum frame_state {
	FRAME_FREE = 0,	 /* + order: head of a free block, on its list */
	FRAME_HELD = 16, /* head of a block that somebody has */
	FRAME_CACHED,	 /* a single page in a hart's cache */
	FRAME_RESERVED,	 /* never ours to give */
};

/* The record of one frame. Only a head's means anything. */
struct frame {
	struct list link; /* free: its list; held by the slabs: theirs */
	union {
		u32 owners; /* held: how many */
		struct {
			u16 in_use; /* slab: objects given out, */
			u16 carved; /* ... and objects that ever were */
		};
	};
	u8 state;      /* enum frame_state; FRAME_FREE + order */
	u8 type;       /* held: enum page_type */
	u8 size_class; /* slab: which */
	void *objects; /* slab: its free objects */
};

struct buddy_run {
	u32 next; /* the first chunk's first frame; a multiple of BUDDY_CHUNK */
	u32 end;  /* likewise, behind the last */
};

struct buddy {
	struct list free[BUDDY_ORDERS + 1]; /* by order, the latest first; the last is never empty */
	u64 taken[BUDDY_ORDERS];	    /* blocks taken less given back, by their order, */
	u64 drawn[BUDDY_ORDERS]; /* and by that of what they were cut from or became; modulo 2^64 */
	struct frame *frames;
	u32 frame_count;  /* a multiple of BUDDY_CHUNK */
	u32 reserved_end; /* boot: chunks below that are not fresh have their records */
	struct buddy_run fresh[BUDDY_FRESH_MAX];
	u32 fresh_first; /* those before are used up */
	u32 fresh_count;
};

RESULT_TYPE(frame, struct frame *);

/* An allocator with nothing to give. `frames` has room for `count`, a multiple of BUDDY_CHUNK. */
void buddy_init(struct buddy *buddy, struct frame *frames, u32 count);

/*
 * Gives frames [first, first + count) at boot, each run once, in ascending order and before the
 * first allocation. Whole chunks become fresh; what is left at the edges is freed block by block.
 * ERR_NOSPC: more than BUDDY_FRESH_MAX runs; the run is not given.
 */
enum error __must_check buddy_give(struct buddy *buddy, u32 first, u32 count);

/* The head of a block of 2^order frames, state FRAME_HELD. ERR_NOMEM; order <= BUDDY_ORDER_MAX. */
struct result_frame __must_check buddy_alloc(struct buddy *buddy, u64 order);

/* Takes back a block whose head and order these are, and merges it as far as it goes. */
void buddy_free(struct buddy *buddy, struct frame *head, u64 order);

/* How many free blocks there are of each order, fresh chunks included. */
void buddy_blocks(const struct buddy *buddy, u64 blocks[BUDDY_ORDERS]);

/* ---- Steps that buddy_alloc and buddy_free are made of ---- */

/* Puts a chunk that was never used on its list and calls buddy_alloc again. ERR_NOMEM: none is left. */
struct result_frame __must_check buddy_alloc_fresh(struct buddy *buddy, u64 order);

/* Whether a list holds nothing. That of BUDDY_ORDERS never does: a search upwards ends there. */
static inline bool buddy_is_empty(const struct buddy *buddy, u64 order)
{
	return list_is_empty(&buddy->free[order]);
}

/* The first free block of an order whose list is not empty. */
static inline struct frame *buddy_first(const struct buddy *buddy, u64 order)
{
	return container_of(buddy->free[order].next, struct frame, link);
}

/* Whether this record is the head of a free block of this order. */
static inline bool buddy_is_free(const struct frame *head, u64 order)
{
	return head->state == FRAME_FREE + order;
}

/* Puts a block on the list of its order as free; takes it off again (its state stays). */
static inline void buddy_push(struct buddy *buddy, struct frame *head, u64 order)
{
	head->state = (u8)(FRAME_FREE + order);
	list_push_front(&buddy->free[order], &head->link);
}

static inline void buddy_remove(struct frame *head)
{
	list_remove(&head->link);
}

/*
 * The accounts, once a call: a block of `order` was taken, cut from one of `from`; a block of
 * `order` was given back and became part of one of `into`. Counting like this costs the same
 * however many steps lie between the two (buddy_blocks does the sum).
 */
static inline void buddy_count_alloc(struct buddy *buddy, u64 order, u64 from)
{
	buddy->taken[order]++;
	buddy->drawn[from]++;
}

static inline void buddy_count_free(struct buddy *buddy, u64 order, u64 into)
{
	buddy->taken[order]--;
	buddy->drawn[into]--;
}

#endif
