/*
 * page_internal.h - what the files behind page.h share: zones, caches, the allocator itself.
 *
 * A zone is a piece of the physical address space with a record for each page, aligned to the
 * largest block at both ends; holes in it are records that nobody gets. The zones' records
 * lie side by side in one array, so frame numbers have no holes, and finding a page's record or a
 * record's page is a look at each zone in turn, of which almost every machine has one.
 */
#ifndef MM_PAGE_INTERNAL_H
#define MM_PAGE_INTERNAL_H

#include <mazu/memmap.h>
#include <mazu/page.h>
#include <mazu/spinlock.h>

#define ZONES_MAX 16
#define CHUNK_SIZE (PAGE_SIZE << BUDDY_ORDER_MAX)

struct zone {
	u64 start;	      /* physical, a multiple of CHUNK_SIZE */
	u64 size;	      /* bytes, likewise */
	struct frame *frames; /* the records, in the order of the addresses */
};

/* What a hart keeps for itself: free pages at hand, and its part of the accounts. */
struct page_cache {
	u64 count;
	struct frame *at[CONFIG_PAGE_CACHE_MAX]; /* the latest last */
	i64 held[PAGE_TYPE_COUNT]; /* pages taken here less those freed here: may be below 0 */
} __per_hart;

/* Written by page_init only, like the next three. */
extern struct memmap memory_map;

/* Makes memory_map of what the device tree says (page_map.c); a warning about a range, if `err`. */
void memory_map_make(void);
void memory_range_report(enum error err, const char *what, u64 start, u64 size);

extern struct zone page_zones[ZONES_MAX];
extern struct zone *page_zones_end;
extern u64 page_total;

extern struct page_cache page_caches[CONFIG_CPU_MAX]; /* each: its hart, interrupts off */
extern struct buddy page_buddy;			      /* page_lock */
extern struct spinlock page_lock;

/* Bytes of memory for each byte of records. */
#define RECORD_RATIO (PAGE_SIZE / sizeof(struct frame))

static_assert(PAGE_SIZE % sizeof(struct frame) == 0, "a shift leads from a record to its page");

/* The record of the page that contains `address`, or NULL: in no zone. */
static inline struct frame *frame_of(const void *address)
{
	for (const struct zone *zone = page_zones; zone < page_zones_end; zone++) {
		u64 offset = virt_to_phys(address) - zone->start;

		if (offset < zone->size)
			return zone->frames + (offset >> PAGE_SHIFT);
	}
	return NULL;
}

/* The same for a page of ours, which is in one. */
static inline struct frame *frame_of_ours(const void *page)
{
	const struct zone *zone = page_zones;

	while (unlikely(virt_to_phys(page) - zone->start >= zone->size))
		zone++;
	return zone->frames + ((virt_to_phys(page) - zone->start) >> PAGE_SHIFT);
}

/* The page of a record. */
static inline void *frame_page(const struct frame *frame)
{
	const struct zone *zone = page_zones;

	while (unlikely((uptr)frame - (uptr)zone->frames >= zone->size / RECORD_RATIO))
		zone++;
	return phys_to_virt(zone->start + ((uptr)frame - (uptr)zone->frames) * RECORD_RATIO);
}

#endif
