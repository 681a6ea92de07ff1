/*
 * Physical memory at boot: from what the device tree claims to an allocator that can be used.
 *
 *	map	ranges that are memory, less what is taken (page_map.c)
 *	zones	each a hull of free regions, aligned to the largest block
 *	records	one array for all zones, in the first free region with room
 *	give	what is still free goes to the buddy allocator
 *
 * Nothing of this looks at each page: it takes as long for 4 GiB as for 32 MiB. Nothing of it can
 * fail for good: memory that cannot be used is left out and reported, and if all of it is, the
 * kernel goes on and every allocation says that there is none.
 */
#include "page_debug.h"
#include "page_internal.h"

#include <mazu/pcpu.h>
#include <mazu/printk.h>

extern char _kernel_start[];

/* ---- Zones and their records ---- */

/* Joins free regions less than `gap` bytes apart. False: that makes more zones than there may be. */
static bool zones_make(u64 gap)
{
	u64 end = 0;

	page_zones_end = page_zones;
	for (u32 i = 0; i < memory_map.count; i++) {
		const struct memmap_region *region = &memory_map.at[i];
		u64 start = region->start & ~(CHUNK_SIZE - 1);

		if (region->owner != MEMMAP_FREE)
			continue;
		if (page_zones_end == page_zones || start > end + gap) {
			if (page_zones_end == &page_zones[ZONES_MAX])
				return false;
			(page_zones_end++)->start = start;
		}
		end = ALIGN_UP(region->end, CHUNK_SIZE);
		page_zones_end[-1].size = end - page_zones_end[-1].start;
	}
	return true;
}

static u64 frame_count(void)
{
	u64 bytes = 0;

	for (const struct zone *zone = page_zones; zone < page_zones_end; zone++)
		bytes += zone->size;
	return bytes >> PAGE_SHIFT;
}

/* Above the image if possible. */
static struct result_u64 records_find(u64 size)
{
	struct result_u64 place = memmap_find(&memory_map, size, virt_to_phys(_kernel_start));

	return place.err ? memmap_find(&memory_map, size, 0) : place;
}

/* Room for all records; zones for which there is none are given up, the highest first. */
static struct frame *records_place(void)
{
	for (; page_zones_end > page_zones; page_zones_end--) {
		u64 size = frame_count() * (sizeof(struct frame) + PAGE_DEBUG_SIZE);
		struct result_u64 place = records_find(size);

		if (place.err || memmap_take(&memory_map, place.value, size, PAGE_FRAMES))
			continue;
		return phys_to_virt(place.value);
	}
	return NULL;
}

static void zones_init(void)
{
	u64 gap = 0;

	while (!zones_make(gap))
		gap = MAX(2 * gap, CHUNK_SIZE);

	struct frame *frames = records_place();
	u32 count = (u32)frame_count();

	buddy_init(&page_buddy, frames, count);
	if (IS_ENABLED(CONFIG_ALLOC_DEBUG))
		page_debug_init(frames, count);
	for (struct zone *zone = page_zones; zone < page_zones_end; zone++) {
		zone->frames = frames;
		frames += zone->size >> PAGE_SHIFT;
	}
}

/* ---- Giving ---- */

static enum error region_give(const struct memmap_region *region)
{
	const struct frame *first = frame_of(phys_to_virt(region->start));

	if (!first)
		return ERR_NOSPC;
	return buddy_give(&page_buddy, (u32)(first - page_buddy.frames),
			  (u32)((region->end - region->start) >> PAGE_SHIFT));
}

/* Returns how many pages somebody has already. */
static u64 regions_give(void)
{
	u64 taken = 0;

	for (u32 i = 0; i < memory_map.count; i++) {
		const struct memmap_region *region = &memory_map.at[i];
		u64 pages = (region->end - region->start) >> PAGE_SHIFT;
		enum error err = OK;

		if (region->owner == MEMMAP_FREE) {
			err = region_give(region);
		} else {
			page_caches[0].held[region->owner] += (i64)pages;
			taken += pages;
		}
		memory_range_report(err, "range not used", region->start, pages << PAGE_SHIFT);
		page_total += err ? 0 : pages;
	}
	return taken;
}

void page_init(void)
{
	for (u32 i = 0; i < CONFIG_CPU_MAX; i++)
		pcpus[i].pages = &page_caches[i];
	memory_map_make();
	zones_init();

	u64 taken = regions_give(), zones = (u64)(page_zones_end - page_zones);

	if (page_total == taken)
		pr_err("memory: none that can be used");
	pr_info("memory: %lu MiB in %lu range%s, %lu KiB taken", page_total >> (20 - PAGE_SHIFT),
		zones, zones == 1 ? "" : "s", taken << (PAGE_SHIFT - 10));
}
