/*
 * The naive model of the memory map: see memmap_model.h.
 */
#include "memmap_model.h"

#include <mazu/mem.h>
#include <mazu/page.h>

#define NOBODY (MEMMAP_FREE - 7) /* no memory */
#define MODEL_END (MODEL_BASE + MODEL_PAGES * PAGE_SIZE)

void memmap_pair_init(struct memmap_pair *pair)
{
	memset(pair, 0, sizeof(*pair));
	for (u32 i = 0; i < MODEL_PAGES; i++)
		pair->owner[i] = NOBODY;
}

static u32 regions(const u32 owner[MODEL_PAGES])
{
	u32 count = 0;

	for (u32 i = 0; i < MODEL_PAGES; i++)
		count += owner[i] != NOBODY && (i == 0 || owner[i] != owner[i - 1]);
	return count;
}

/* What the range covers of a page: nothing, something, all of it. */
enum cover { NOTHING, SOMETHING, ALL };

static enum cover cover(u32 page, u64 start, u64 size)
{
	u64 first = MODEL_BASE + page * PAGE_SIZE, covered = 0;
	u64 end = size > UINT64_MAX - start ? UINT64_MAX : start + size;

	if (start < first + PAGE_SIZE && end > first)
		covered = MIN(end, first + PAGE_SIZE) - MAX(start, first);
	return covered == PAGE_SIZE ? ALL : covered > 0 ? SOMETHING : NOTHING;
}

static void change_page(u32 *owner, enum memmap_change change, enum cover covered, u32 to)
{
	if (change == MEMMAP_ADD && covered == ALL && *owner == NOBODY)
		*owner = MEMMAP_FREE;
	else if (change == MEMMAP_TAKE && covered != NOTHING && *owner == MEMMAP_FREE)
		*owner = to;
	else if (change == MEMMAP_DROP && covered != NOTHING && *owner == MEMMAP_FREE)
		*owner = NOBODY;
}

static enum error real_change(struct memmap *map, enum memmap_change change, u64 start, u64 size,
			      u32 owner)
{
	switch (change) {
	case MEMMAP_ADD: return memmap_add(map, start, size, MODEL_END);
	case MEMMAP_TAKE: return memmap_take(map, start, size, owner);
	default: return memmap_drop(map, start, size);
	}
}

bool memmap_pair_change(struct memmap_pair *pair, enum memmap_change change, u64 start, u64 size,
			u32 owner)
{
	struct memmap before = pair->map;
	enum error err = real_change(&pair->map, change, start, size, owner);
	u32 changed[MODEL_PAGES];

	memcpy(changed, pair->owner, sizeof(changed));
	for (u32 i = 0; i < MODEL_PAGES; i++)
		change_page(&changed[i], change, cover(i, start, size), owner);
	if (regions(changed) > MEMMAP_REGIONS_MAX)
		return err == ERR_NOSPC && !memcmp(&before, &pair->map, sizeof(before));
	memcpy(pair->owner, changed, sizeof(changed));
	return !err;
}

bool memmap_pair_agrees(const struct memmap_pair *pair)
{
	const struct memmap *map = &pair->map;
	u64 end = 0;
	u32 page = 0;

	if (map->count != regions(pair->owner))
		return false;
	for (u32 i = 0; i < map->count; i++) {
		const struct memmap_region *region = &map->at[i];

		if (region->start >= region->end || region->start < end ||
		    (region->start | region->end) % PAGE_SIZE != 0)
			return false;
		while (page < MODEL_PAGES && MODEL_BASE + page * PAGE_SIZE < region->start)
			if (pair->owner[page++] != NOBODY)
				return false;
		while (page < MODEL_PAGES && MODEL_BASE + page * PAGE_SIZE < region->end)
			if (pair->owner[page++] != region->owner)
				return false;
		end = region->end;
	}
	while (page < MODEL_PAGES)
		if (pair->owner[page++] != NOBODY)
			return false;
	return end <= MODEL_END;
}

bool memmap_pair_find(const struct memmap_pair *pair, u64 size, u64 from)
{
	struct result_u64 found = memmap_find(&pair->map, size, from);
	u64 run = 0;

	for (u32 i = 0; i < MODEL_PAGES; i++) {
		u64 page = MODEL_BASE + i * PAGE_SIZE;

		run = page >= from && pair->owner[i] == MEMMAP_FREE ? run + PAGE_SIZE : 0;
		if (run > 0 && run >= size)
			return !found.err && found.value == page + PAGE_SIZE - run;
	}
	return found.err == ERR_NOMEM;
}
