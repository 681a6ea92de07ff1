/*
 * buddy_model.h - a buddy allocator as one would never write it: a flag a frame, and everything else
 * worked out from the flags each time.
 *
 * Which frames are free decides which blocks there are: the largest aligned ones that are free as
 * a whole. So the model needs no lists, no splitting and no merging to say what the real allocator
 * must hold after any sequence of calls. Shared by the self-tests, the host's model test and the
 * fuzzer.
 */
#ifndef MAZU_TESTS_BUDDY_MODEL_H
#define MAZU_TESTS_BUDDY_MODEL_H

#include <mazu/buddy.h>

#define MODEL_CHUNKS 4
#define MODEL_FRAMES (MODEL_CHUNKS * BUDDY_CHUNK)

struct buddy_model {
	u32 free_frames;
	u8 is_free[MODEL_FRAMES];
};

/* One allocator with its model; every function keeps them in step. */
struct buddy_pair {
	struct buddy buddy;
	struct buddy_model model;
	struct frame frames[MODEL_FRAMES];
	u32 held_count;
	struct {
		u32 head, order;
	} held[MODEL_FRAMES]; /* by buddy_pair_random */
};

/* Nothing to give. The records begin as garbage, as memory does. */
void buddy_pair_init(struct buddy_pair *pair);

/* Each is false where the allocator does what it must not. */
bool buddy_pair_give(struct buddy_pair *pair, u32 first, u32 count);
bool buddy_pair_alloc(struct buddy_pair *pair, u32 order, u32 *head); /* UINT32_MAX: none left */
bool buddy_pair_free(struct buddy_pair *pair, u32 head, u32 order);

/* Lists, counts and heads against the model. Looks at every frame. */
bool buddy_pair_agrees(const struct buddy_pair *pair);

/* So many random calls, more and fewer blocks held in turn. Then gives all of it back. */
bool buddy_pair_random(struct buddy_pair *pair, u64 *seed, u32 calls);
bool buddy_pair_free_all(struct buddy_pair *pair);

#endif
