/*
 * page.h - physical memory, in pages, and who holds it.
 *
 * All memory that the device tree names is counted in pages of 4 KiB. Each page is free or held
 * by exactly one type, and the counts add up at any moment: total = free + the sum of the types.
 *
 * page_alloc() yields a block of 2^order pages, aligned to its size. Blocks of one page come from
 * and go to a cache of the running hart where they can, everything else from the buddy
 * allocator (buddy.h). A single page may have several owners (page_get, page_put): it is
 * freed when the last one lets go.
 *
 * Any context, interrupts included. A page is named by the address at which the kernel sees it;
 * virt_to_phys() and phys_to_virt() lead to what devices and page tables call it.
 */
#ifndef MAZU_PAGE_H
#define MAZU_PAGE_H

#include <arch/memory.h>
#include <mazu/buddy.h>
#include <mazu/error.h>
#include <mazu/str.h>
#include <mazu/types.h>

#define PAGE_SHIFT 12
#define PAGE_SIZE (1UL << PAGE_SHIFT)
#define PAGE_MASK (PAGE_SIZE - 1)

/* Blocks of 2^0 .. 2^PAGE_ORDER_MAX pages. */
#define PAGE_ORDER_MAX BUDDY_ORDER_MAX

/* Who may hold pages, and what a person calls them. The first four are held from the boot on. */
#define PAGE_TYPES(TYPE)                                                                           \
	TYPE(FIRMWARE, "firmware, reserved in the device tree")                                    \
	TYPE(IMAGE, "kernel image and its stacks")                                                 \
	TYPE(BOOT, "device tree, initial file system")                                             \
	TYPE(FRAMES, "one record a page")                                                          \
	TYPE(TABLE, "page tables")                                                                 \
	TYPE(SLAB, "kmalloc, up to 2 KiB each")                                                    \
	TYPE(LARGE, "kmalloc, larger")                                                             \
	TYPE(STACK, "kernel stacks")                                                               \
	TYPE(USER, "user programs")                                                                \
	TYPE(TEST, "self-tests and benchmarks")

enum page_type {
#define PAGE_TYPE_ENUM(name, what) PAGE_##name,
	PAGE_TYPES(PAGE_TYPE_ENUM)
#undef PAGE_TYPE_ENUM
		PAGE_TYPE_COUNT,
};

/* 2^order pages with undefined contents. ERR_NOMEM; ERR_INVAL: order above PAGE_ORDER_MAX. */
struct result_ptr __must_check page_alloc(u32 order, enum page_type type);

/* One page, all zero. */
struct result_ptr __must_check page_alloc_zero(enum page_type type);

/* Takes back a block, whole: its address and its order as they were given. */
void page_free(void *page, u32 order);

/* One more owner of a single page that somebody holds; one fewer, the last of whom frees it. */
void page_get(void *page);
void page_put(void *page);

/* How many owners a held page has. */
u32 page_owners(const void *page);

/* ---- Looking ---- */

struct page_statistics {
	u64 total;		   /* pages, as all of these */
	u64 free;		   /* the cached ones included */
	u64 cached;		   /* in the harts' caches */
	u64 held[PAGE_TYPE_COUNT]; /* by type */
	u64 blocks[BUDDY_ORDERS];  /* free blocks by order, not pages; the cached ones left out */
};

/* Free pages that a hart has at hand; 0 where there is none. */
u64 page_cached(u32 hart);

void page_statistics(struct page_statistics *statistics);
struct str page_type_name(enum page_type type); /* "slab" */
struct str page_type_what(enum page_type type);

/* Gives this hart's cached pages back to the buddy allocator. */
void page_cache_drain(void);

/* The record of the page that contains `address`; NULL: no memory, or far from what we may give. */
struct frame *page_frame(const void *address);

/* ---- Boot ---- */

/* Takes over the memory that `board` describes. Called once, before anything else here. */
void page_init(void);

struct memmap;

/* What page_init found: all memory, and who had it then. Never changes again. */
const struct memmap *page_memmap(void);

#endif
