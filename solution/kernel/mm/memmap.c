/*
 * The map of physical memory at boot: see memmap.h.
 *
 * All changes are one operation: within [start, end), what is marked `from` becomes `to`, where "no
 * memory" is a mark like the others. A new map is made by going over the old one from the bottom to
 * the top, regions and the gaps between them alike, cutting each piece at start and end and
 * appending it to the new map, which joins neighbours of the same owner. So every map that comes
 * out is sorted, disjoint and joined because of how it was written, and one that does not fit
 * leaves the old one as it was.
 *
 * Bound: three pieces a region or gap, MEMMAP_REGIONS_MAX regions.
 */
#include <mazu/memmap.h>
#include <mazu/page.h>

/* The mark of a gap: no memory. No region has it. */
#define MEMMAP_NONE (MEMMAP_FREE - 1)

struct change {
	u64 start, end;
	u32 from, to;
};

/* ---- Writing a map from the bottom to the top ---- */

static enum error piece_append(struct memmap *map, u64 start, u64 end, u32 owner)
{
	struct memmap_region *last = map->count > 0 ? &map->at[map->count - 1] : NULL;

	if (start >= end || owner == MEMMAP_NONE)
		return OK;
	if (last && last->end == start && last->owner == owner) {
		last->end = end;
		return OK;
	}
	if (map->count == MEMMAP_REGIONS_MAX)
		return ERR_NOSPC;
	map->at[map->count++] = (struct memmap_region){ start, end, owner };
	return OK;
}

/* A piece of the old map, of one mark: what lies before, in and behind the change. */
static enum error piece_copy(struct memmap *map, const struct change *change, u64 start, u64 end,
			     u32 owner)
{
	u64 first = MAX(start, change->start);
	u64 last = MIN(end, change->end);
	enum error err;

	if (owner != change->from || first >= last)
		return piece_append(map, start, end, owner);
	err = piece_append(map, start, first, owner);
	if (!err)
		err = piece_append(map, first, last, change->to);
	return err ? err : piece_append(map, last, end, owner);
}

static enum error memmap_change(struct memmap *map, const struct change *change)
{
	struct memmap changed = { .count = 0 };
	enum error err = OK;
	u64 at = 0;

	for (u32 i = 0; i < map->count && !err; i++) {
		const struct memmap_region *region = &map->at[i];

		err = piece_copy(&changed, change, at, region->start, MEMMAP_NONE);
		if (!err)
			err = piece_copy(&changed, change, region->start, region->end,
					 region->owner);
		at = region->end;
	}
	if (!err)
		err = piece_copy(&changed, change, at, UINT64_MAX, MEMMAP_NONE);
	if (!err)
		*map = changed;
	return err;
}

/* ---- The operations ---- */

static u64 range_end(u64 start, u64 size)
{
	return size > UINT64_MAX - start ? UINT64_MAX : start + size;
}

static u64 page_down(u64 address)
{
	return address & ~PAGE_MASK;
}

/* The last page of all has no end that a number can name, so it is never memory. */
static u64 page_up(u64 address)
{
	return address > page_down(UINT64_MAX) ? page_down(UINT64_MAX)
					       : ALIGN_UP(address, PAGE_SIZE);
}

enum error memmap_add(struct memmap *map, u64 start, u64 size, u64 limit)
{
	u64 end = MIN(range_end(start, size), limit);

	return memmap_change(map, &(struct change){
					  .start = page_up(start),
					  .end = page_down(end),
					  .from = MEMMAP_NONE,
					  .to = MEMMAP_FREE,
				  });
}

static enum error memmap_mark(struct memmap *map, u64 start, u64 size, u32 owner)
{
	if (size == 0)
		return OK;
	return memmap_change(map, &(struct change){
					  .start = page_down(start),
					  .end = page_up(range_end(start, size)),
					  .from = MEMMAP_FREE,
					  .to = owner,
				  });
}

enum error memmap_take(struct memmap *map, u64 start, u64 size, u32 owner)
{
	return memmap_mark(map, start, size, owner);
}

enum error memmap_drop(struct memmap *map, u64 start, u64 size)
{
	return memmap_mark(map, start, size, MEMMAP_NONE);
}

struct result_u64 memmap_find(const struct memmap *map, u64 size, u64 from)
{
	for (u32 i = 0; i < map->count; i++) {
		const struct memmap_region *region = &map->at[i];
		u64 start = MAX(region->start, page_up(from));

		if (region->owner == MEMMAP_FREE && start < region->end &&
		    size <= region->end - start)
			return result_u64_ok(start);
	}
	return result_u64_err(ERR_NOMEM);
}
