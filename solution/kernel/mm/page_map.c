/*
 * Which memory there is, and who has it from the start: the device tree's claims, as far as they
 * are true.
 *
 *	add	what the tree calls memory; the image and the tree itself in any case
 *	take	the image, the tree, the initial file system, what the firmware reserved
 *	probe	a free region that does not keep what is written to it is not there
 *
 * The order of taking is who wins where claims overlap. The image and the tree are in use, whatever
 * the tree says of reservations. A boot loader may reserve the initial file system on top.
 *
 * page_boot.c makes zones and records of the result.
 */
#include "page_internal.h"

#include <arch/trap.h>
#include <mazu/board.h>
#include <mazu/printk.h>

/* Places at which a free region is looked at, about. */
#define PROBES 16

extern char _kernel_start[], _kernel_end[];

struct memmap memory_map;

/*
 * Each range of memory, the image's and the tree's included, makes a region; what is taken cuts
 * one in three: the reservations, the image, the tree, the initial file system, the firmware and the
 * records.
 */
static_assert(BOARD_RANGES_MAX + 2 + 2 * (BOARD_RANGES_MAX + 5) <= MEMMAP_REGIONS_MAX,
	      "no board fills the map");
static_assert(BOARD_RANGES_MAX + 2 + BOARD_RANGES_MAX + 5 <= BUDDY_FRESH_MAX,
	      "no board has too many free regions");

const struct memmap *page_memmap(void)
{
	return &memory_map;
}

/* ---- The map ---- */

void memory_range_report(enum error err, const char *what, u64 start, u64 size)
{
	if (err)
		pr_warn("memory: %s at 0x%lx, 0x%lx bytes: %.*s", what, start, size,
			STR_ARG(error_name(err)));
}

/* Address 0 is nobody's: a pointer to it would be NULL. */
static void range_add(struct fdt_range range)
{
	u64 skipped = range.base < PAGE_SIZE ? MIN(PAGE_SIZE - range.base, range.size) : 0;
	enum error err = memmap_add(&memory_map, range.base + skipped, range.size - skipped,
				    ARCH_PHYSICAL_END);

	memory_range_report(err, "range not used", range.base, range.size);
	if (range.base >= ARCH_PHYSICAL_END || range.size > ARCH_PHYSICAL_END - range.base)
		memory_range_report(ERR_RANGE, "range not used to its end", range.base, range.size);
}

static void range_take(struct fdt_range range, enum page_type type)
{
	memory_range_report(memmap_take(&memory_map, range.base, range.size, type),
			    "taken, but not noted", range.base, range.size);
}

/* [start, end), rounded outwards to whole pages. */
static struct fdt_range whole_pages(u64 start, u64 end)
{
	start &= ~PAGE_MASK;
	return (struct fdt_range){ start, ALIGN_UP(end, PAGE_SIZE) - start };
}

static struct fdt_range image_range(void)
{
	return whole_pages(virt_to_phys(_kernel_start), virt_to_phys(_kernel_end));
}

/* What is in use is memory, whatever the tree says. */
static void range_use(struct fdt_range range, enum page_type type)
{
	range_add(range);
	range_take(range, type);
}

/*
 * The firmware is somewhere. If the tree does not say that it is in the memory below the image, it is
 * all of that.
 */
static void firmware_take(void)
{
	u64 image = image_range().base, start = image;

	for (u32 i = memory_map.count; i-- > 0;) {
		if (memory_map.at[i].end != start)
			continue;
		if (memory_map.at[i].owner == PAGE_FIRMWARE)
			return;
		start = memory_map.at[i].start;
	}
	range_take((struct fdt_range){ start, image - start }, PAGE_FIRMWARE);
}

static bool range_answers(u64 start, u64 size)
{
	return arch_readable((uptr)phys_to_virt(start), 1) &&
	       arch_readable((uptr)phys_to_virt(start + size - 1), 1);
}

static void map_make(void)
{
	for (u32 i = 0; i < board.memory.count; i++)
		range_add(board.memory.at[i]);
	range_use(image_range(), PAGE_IMAGE);
	if (str_is_empty(board.problem))
		range_use(whole_pages(board.tree.base, board.tree.base + board.tree.size),
			  PAGE_BOOT);
	if (board.initrd.size > 0 && range_answers(board.initrd.base, board.initrd.size))
		range_take(board.initrd, PAGE_BOOT);
	for (u32 i = 0; i < board.reserved.count; i++)
		range_take(board.reserved.at[i], PAGE_FIRMWARE);
	firmware_take();
}

/* Its first word, its last and some between: a region may begin and end in memory with none between. */
static bool region_is_memory(const struct memmap_region *region)
{
	u64 step = MAX((region->end - region->start) / PROBES & ~PAGE_MASK, PAGE_SIZE);

	for (u64 at = region->start; at < region->end; at += step)
		if (!arch_keeps_word((uptr)phys_to_virt(at)))
			return false;
	return arch_keeps_word((uptr)phys_to_virt(region->end - sizeof(u32)));
}

/* Only what is free: what the firmware keeps cannot be read, and nobody is going to. */
static void map_probe(void)
{
	u32 i = 0;

	while (i < memory_map.count) {
		struct memmap_region region = memory_map.at[i];
		u64 size = region.end - region.start;

		if (region.owner != MEMMAP_FREE || region_is_memory(&region)) {
			i++;
			continue;
		}
		memory_range_report(ERR_NODEV, "range not used", region.start, size);
		if (memmap_drop(&memory_map, region.start, size))
			i++; /* never: a map with less in it fits */
	}
}

void memory_map_make(void)
{
	map_make();
	map_probe();
}
