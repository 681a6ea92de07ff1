/*
 * Pages: the buddy allocator with addresses, a cache in front of it, and the accounts.
 *
 * Most blocks are single pages, and most of those are freed soon. So each hart keeps a few free
 * pages at hand: taking one or putting one back is a matter of its own array, with interrupts
 * off and no lock. Between the cache and the buddy allocator pages move one at a time, so the
 * longest operation is one split or one merge and never a batch of them.
 *
 * Who holds how many pages is counted per hart as well: a page that is taken here and freed there
 * leaves one count too high and the other too low, and their sum right.
 *
 * Debug builds look at every block twice (page_debug.c).
 */
#include "page_debug.h"
#include "page_internal.h"

#include <mazu/fault_inject.h>
#include <mazu/mem.h>
#include <mazu/pcpu.h>
#include <mazu/smp.h>

/* Who called us, for the reports of debug builds. */
#define CALLER ((uptr)__builtin_return_address(0))

struct zone page_zones[ZONES_MAX];
struct zone *page_zones_end = page_zones;
u64 page_total;
struct page_cache page_caches[CONFIG_CPU_MAX];
struct buddy page_buddy;
struct spinlock page_lock = SPINLOCK_INIT(LOCK_PAGES);

/* ---- Allocating: a page at hand, or a block ---- */

/* The block is `type`'s from now on. Interrupts off. */
static inline void *block_hold(struct frame *head, u64 order, enum page_type type)
{
	this_cpu()->pages->held[type] += 1L << order;
	head->type = (u8)type;
	head->owners = 1;
	return frame_page(head);
}

static __attribute__((noinline)) struct result_ptr block_alloc(u64 order, enum page_type type)
{
	struct result_ptr block = result_ptr_err(ERR_INVAL);

	if (order > PAGE_ORDER_MAX)
		return block;

	bool irqs = spin_lock_irqsave(&page_lock);
	struct result_frame taken = buddy_alloc(&page_buddy, order);

	block.err = taken.err;
	if (!taken.err)
		block.value = block_hold(taken.value, order, type);
	spin_unlock_irqrestore(&page_lock, irqs);
	if (IS_ENABLED(CONFIG_ALLOC_DEBUG) && !block.err)
		page_debug_alloc(taken.value, block.value, order);
	return block;
}

struct result_ptr page_alloc(u32 order, enum page_type type)
{
	if (fault_inject_hit())
		return result_ptr_err(ERR_NOMEM);
	if (order > 0 || READ_ONCE(this_cpu()->pages->count) == 0)
		return block_alloc(order, type);

	bool irqs = arch_irq_save();
	struct page_cache *cache = this_cpu()->pages;

	if (unlikely(cache->count == 0)) { /* somebody was faster */
		arch_irq_restore(irqs);
		return block_alloc(order, type);
	}

	struct frame *head = cache->at[--cache->count];

	head->state = FRAME_HELD;
	void *page = block_hold(head, 0, type);

	arch_irq_restore(irqs);
	if (IS_ENABLED(CONFIG_ALLOC_DEBUG))
		page_debug_alloc(head, page, 0);
	return result_ptr_ok(page);
}

struct result_ptr page_alloc_zero(enum page_type type)
{
	struct result_ptr page = page_alloc(0, type);

	if (!page.err)
		arch_page_zero(page.value);
	return page;
}

/* ---- Freeing ---- */

static __attribute__((noinline)) void block_free(struct frame *head, u64 order)
{
	bool irqs = spin_lock_irqsave(&page_lock);

	this_cpu()->pages->held[head->type] -= 1L << order;
	buddy_free(&page_buddy, head, order);
	spin_unlock_irqrestore(&page_lock, irqs);
}

void page_free(void *page, u32 order)
{
	if (IS_ENABLED(CONFIG_ALLOC_DEBUG))
		page_debug_free(page, order, CALLER);

	struct frame *head = frame_of_ours(page);

	if (order > 0 || READ_ONCE(this_cpu()->pages->count) == CONFIG_PAGE_CACHE_MAX)
		return block_free(head, order);

	bool irqs = arch_irq_save();
	struct page_cache *cache = this_cpu()->pages;

	if (cache->count == CONFIG_PAGE_CACHE_MAX) {
		arch_irq_restore(irqs);
		return block_free(head, order);
	}
	cache->held[head->type]--;
	head->state = FRAME_CACHED;
	cache->at[cache->count++] = head;
	arch_irq_restore(irqs);
}

/* One at a time, so that an interrupt waits for no more than one. */
static bool cache_drain_one(void *unused)
{
	bool irqs = spin_lock_irqsave(&page_lock);
	struct page_cache *cache = this_cpu()->pages;
	bool drained = cache->count > 0;

	(void)unused;

	if (drained)
		buddy_free(&page_buddy, cache->at[--cache->count], 0);
	spin_unlock_irqrestore(&page_lock, irqs);
	return drained;
}

void page_cache_drain(void)
{
	harts_while(cache_drain_one, NULL);
}

/* ---- Owners ---- */

void page_get(void *page)
{
	if (IS_ENABLED(CONFIG_ALLOC_DEBUG))
		page_debug_owned(page, CALLER);
	__atomic_add_fetch(&frame_of_ours(page)->owners, 1, __ATOMIC_RELAXED);
}

void page_put(void *page)
{
	if (IS_ENABLED(CONFIG_ALLOC_DEBUG))
		page_debug_owned(page, CALLER);
	/* pairs with page_put(): the last one sees what the others wrote before they let go */
	if (__atomic_sub_fetch(&frame_of_ours(page)->owners, 1, __ATOMIC_ACQ_REL) == 0)
		page_free(page, 0);
}

u32 page_owners(const void *page)
{
	return READ_ONCE(frame_of_ours(page)->owners);
}

struct frame *page_frame(const void *address)
{
	return frame_of(address);
}

/* ---- Looking ---- */

static u64 held_pages(enum page_type type)
{
	i64 pages = 0;

	for (u32 i = 0; i < CONFIG_CPU_MAX; i++)
		pages += page_caches[i].held[type];
	return (u64)pages;
}

u64 page_cached(u32 hart)
{
	return hart < CONFIG_CPU_MAX ? READ_ONCE(page_caches[hart].count) : 0;
}

void page_statistics(struct page_statistics *statistics)
{
	*statistics = (struct page_statistics){ .total = page_total };

	bool irqs = spin_lock_irqsave(&page_lock);

	buddy_blocks(&page_buddy, statistics->blocks);
	for (u32 i = 0; i < CONFIG_CPU_MAX; i++)
		statistics->cached += page_cached(i);
	for (u32 type = 0; type < PAGE_TYPE_COUNT; type++)
		statistics->held[type] = held_pages(type);
	spin_unlock_irqrestore(&page_lock, irqs);

	statistics->free = statistics->cached;
	for (u32 order = 0; order < BUDDY_ORDERS; order++)
		statistics->free += statistics->blocks[order] << order;
}

struct str page_type_name(enum page_type type)
{
	static const struct str names[PAGE_TYPE_COUNT] = {
		[PAGE_FIRMWARE] = STR("firmware"), [PAGE_IMAGE] = STR("image"),
		[PAGE_BOOT] = STR("boot"),	   [PAGE_FRAMES] = STR("frames"),
		[PAGE_TABLE] = STR("table"),	   [PAGE_SLAB] = STR("slab"),
		[PAGE_LARGE] = STR("large"),	   [PAGE_STACK] = STR("stack"),
		[PAGE_USER] = STR("user"),	   [PAGE_TEST] = STR("test"),
	};

	return type < PAGE_TYPE_COUNT ? names[type] : STR("?");
}

struct str page_type_what(enum page_type type)
{
	static const struct str what[] = {
#define PAGE_TYPE_WHAT(name, what) STR(what),
		PAGE_TYPES(PAGE_TYPE_WHAT)
#undef PAGE_TYPE_WHAT
	};

	return type < PAGE_TYPE_COUNT ? what[type] : STR("?");
}
