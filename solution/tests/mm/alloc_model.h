/*
 * alloc_model.h - a map of live objects beside any allocator of the table (allocator.h), for tests on the
 * host.
 *
 * Each object is filled with a pattern of its own, and looked at again before it is given back: two
 * that overlap, or one that the allocator writes to, do not go unnoticed.
 */
#ifndef MM_ALLOC_MODEL_H
#define MM_ALLOC_MODEL_H

#include <mazu/allocator.h>

#define ALLOC_MODEL_MAX 512

struct alloc_model {
	struct allocator *allocator;
	struct {
		u8 *at;
		size_t size;
		u64 seed; /* of its pattern */
	} live[ALLOC_MODEL_MAX];
	u32 count;
	u64 next_seed;
	enum error err; /* what the last alloc_model_take got */
};

void alloc_model_init(struct alloc_model *model, struct allocator *allocator);

/*
 * One more object, if there is one: false only for what must not be, which is an address off 16, a
 * failure with an address, or an overlap with a live object.
 */
bool alloc_model_take(struct alloc_model *model, size_t size);

/* Whether object `index` still holds its pattern. */
bool alloc_model_is_whole(const struct alloc_model *model, u32 index);

/* Gives it back, the last taking its place; whether it was whole. */
bool alloc_model_give(struct alloc_model *model, u32 index);
bool alloc_model_give_all(struct alloc_model *model);

/* All of them are gone without being given back, as an arena's are; whether all were whole. */
bool alloc_model_forget_all(struct alloc_model *model);

#endif
