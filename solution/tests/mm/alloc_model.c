/*
 * The map of live objects: see alloc_model.h.
 */
#include "alloc_model.h"

#include "../host/random.h"

void alloc_model_init(struct alloc_model *model, struct allocator *allocator)
{
	model->allocator = allocator;
	model->count = 0;
	model->next_seed = 1;
	model->err = OK;
}

/* Of large objects only both ends are filled. */
static bool is_filled(size_t at, size_t size)
{
	return at < 4096 || at + 64 >= size;
}

static u8 pattern_at(u64 seed, size_t at)
{
	return (u8)(seed * 0x9e3779b97f4a7c15 >> (at % 8 * 8)) ^ (u8)(at >> 3);
}

static bool overlaps(const struct alloc_model *model, const u8 *at, size_t size)
{
	for (u32 i = 0; i < model->count; i++)
		if (at < model->live[i].at + model->live[i].size && model->live[i].at < at + size)
			return true;
	return false;
}

bool alloc_model_take(struct alloc_model *model, size_t size)
{
	struct result_ptr object = allocator_alloc(model->allocator, size);
	u8 *at = object.value;
	u64 seed = model->next_seed++;

	model->err = object.err;
	if (object.err)
		return !at;
	if (model->count == ALLOC_MODEL_MAX || (uptr)at % 16 || overlaps(model, at, size))
		return false;
	for (size_t i = 0; i < size; i++)
		if (is_filled(i, size))
			at[i] = pattern_at(seed, i);
	model->live[model->count].at = at;
	model->live[model->count].size = size;
	model->live[model->count++].seed = seed;
	return true;
}

bool alloc_model_is_whole(const struct alloc_model *model, u32 index)
{
	size_t size = model->live[index].size;

	for (size_t i = 0; i < size; i++)
		if (is_filled(i, size) &&
		    model->live[index].at[i] != pattern_at(model->live[index].seed, i))
			return false;
	return true;
}

bool alloc_model_give(struct alloc_model *model, u32 index)
{
	bool whole = alloc_model_is_whole(model, index);

	allocator_free(model->allocator, model->live[index].at, model->live[index].size);
	model->live[index] = model->live[--model->count];
	return whole;
}

bool alloc_model_give_all(struct alloc_model *model)
{
	bool whole = true;

	while (model->count > 0)
		whole &= alloc_model_give(model, model->count - 1);
	return whole;
}

bool alloc_model_forget_all(struct alloc_model *model)
{
	bool whole = true;

	while (model->count > 0)
		whole &= alloc_model_is_whole(model, --model->count);
	return whole;
}
