/*
 * memmap.h - which physical memory is there, and which of it is taken: arithmetic on ranges.
 *
 * The device tree's ranges are somebody else's claims: they may overlap, wrap, touch, lie anywhere
 * and be any number up to the tables' bounds. A map is made of them once at boot:
 *
 *	memmap_add()	   memory, rounded inwards to whole pages
 *	memmap_take()	   what is not ours to give out, rounded outwards, and whose it is
 *	memmap_drop()	   what somebody claimed and is not there
 *	memmap_find()	   room for the boot's own tables
 *
 * Invariant: regions are sorted, disjoint, page-aligned and not empty; neighbours of the same
 * owner are one region. Pure logic: no state, no output, host-tested.
 */
#ifndef MAZU_MEMMAP_H
#define MAZU_MEMMAP_H

#include <mazu/error.h>
#include <mazu/types.h>

#define MEMMAP_REGIONS_MAX 64

/* The owner of a region that is free; the others are enum page_type. */
#define MEMMAP_FREE UINT32_MAX

struct memmap_region {
	u64 start; /* physical, bytes, page-aligned */
	u64 end;   /* behind the last byte; > start */
	u32 owner; /* MEMMAP_FREE, or who has it */
};

struct memmap {
	struct memmap_region at[MEMMAP_REGIONS_MAX];
	u32 count;
};

/*
 * Memory [start, start + size) exists and is free. What is already known keeps its owner. Bytes at or
 * above `limit` are ignored, and so is a range that wraps, beyond its last address.
 * ERR_NOSPC: no room, nothing changed.
 */
enum error __must_check memmap_add(struct memmap *map, u64 start, u64 size, u64 limit);

/*
 * Memory in [start, start + size) that is free becomes `owner`'s; what others have taken before
 * stays theirs, and where there is no memory nothing happens. ERR_NOSPC: no room, nothing changed.
 */
enum error __must_check memmap_take(struct memmap *map, u64 start, u64 size, u32 owner);

/* Free memory in [start, start + size), rounded outwards, is not there after all. ERR_NOSPC. */
enum error __must_check memmap_drop(struct memmap *map, u64 start, u64 size);

/* The lowest `size` free bytes in one piece, page-aligned, at or above `from`. ERR_NOMEM: none. */
struct result_u64 __must_check memmap_find(const struct memmap *map, u64 size, u64 from);

#endif
