/*
 * kmalloc: which memory for which size, and a short way to what is used most.
 *
 * A size up to KMALLOC_SLAB_MAX belongs to a class, the smallest that holds it. Each hart has a
 * magazine for each class: taking an object is taking the top of an array with interrupts off,
 * and freeing is putting it there, with no lock and no look at the object. An empty magazine is
 * filled by half from the slabs, and a full one emptied by half, so that whoever goes back and
 * forth over the edge does not pay each time. Larger sizes are blocks of pages.
 *
 * Interrupts are off for at most MAGAZINE_HALF objects and one page between a magazine and the
 * slabs; everything else is a few instructions.
 *
 * Debug builds put each object into a dress (kmalloc_debug.c) on the way out, and take it off on
 * the way back; below that everything is the same.
 *
 * Source: J. Bonwick, J. Adams, "Magazines and Vmem", USENIX 2001.
 */
#include "kmalloc_internal.h"

#include <arch/cpu.h>
#include <mazu/fault_inject.h>
#include <mazu/mem.h>
#include <mazu/pcpu.h>
#include <mazu/smp.h>

const u16 kmalloc_sizes[KMALLOC_CLASSES] = { 16,  32,  48,  64,	 96,   128, 192,
					     256, 384, 512, 768, 1024, 2048 };

static u8 class_of[KMALLOC_SLAB_MAX / KMALLOC_ALIGN]; /* written once, at boot */
static struct object_cache caches[CONFIG_CPU_MAX];    /* each: its hart, interrupts off */

static void classes_init(void)
{
	u8 size_class = 0;

	for (u32 i = 0; i < ARRAY_SIZE(class_of); i++) {
		if ((i + 1) * KMALLOC_ALIGN > kmalloc_sizes[size_class])
			size_class++;
		class_of[i] = size_class;
	}
}

void kmalloc_init(void)
{
	classes_init();
	slab_init();
	for (u32 i = 0; i < CONFIG_CPU_MAX; i++) {
		for (u32 j = 0; j < KMALLOC_CLASSES; j++)
			caches[i].magazines[j].top = caches[i].magazines[j].at;
		pcpus[i].objects = &caches[i];
	}
}

/* ---- Large: blocks of pages ---- */

static u32 large_order(size_t size)
{
	u32 order = 0;

	while (PAGE_SIZE << order < size)
		order++;
	return order;
}

static struct result_ptr large_alloc(size_t size)
{
	if (size == 0 || size > KMALLOC_MAX)
		return result_ptr_err(ERR_INVAL);
	return page_alloc(large_order(size), PAGE_LARGE);
}

/* ---- Small: the magazines ---- */

/* This hart's, for objects of a size; interrupts are off. */
static inline struct magazine *magazine_for(size_t size)
{
	return &this_cpu()->objects->magazines[class_of[(size - 1) / KMALLOC_ALIGN]];
}

static inline u32 class_of_magazine(const struct magazine *magazine)
{
	return (u32)(magazine - this_cpu()->objects->magazines);
}

static void magazine_fill(struct magazine *magazine)
{
	magazine->top =
		magazine->at + slab_take(class_of_magazine(magazine), magazine->at, MAGAZINE_HALF);
}

/* Gives back what is above the first `keep`, or less: see slab_give. */
static void magazine_shed(struct magazine *magazine, u32 keep)
{
	u32 count = (u32)(magazine->top - magazine->at);

	magazine->top =
		magazine->at + slab_give(class_of_magazine(magazine), magazine->at, count, keep);
}

struct result_ptr object_alloc(size_t size)
{
	if (!is_small(size))
		return large_alloc(size);

	bool irqs = arch_irq_save();
	struct magazine *magazine = magazine_for(size);
	struct result_ptr object = result_ptr_err(ERR_NOMEM);

	if (magazine->top == magazine->at)
		magazine_fill(magazine);
	if (magazine->top != magazine->at)
		object = result_ptr_ok(*--magazine->top);
	arch_irq_restore(irqs);
	return object;
}

void object_free(void *object, size_t size)
{
	if (!is_small(size))
		return page_free(object, large_order(size));

	bool irqs = arch_irq_save();
	struct magazine *magazine = magazine_for(size);

	if (magazine->top == magazine->at + MAGAZINE_MAX)
		magazine_shed(magazine, MAGAZINE_MAX - MAGAZINE_HALF);
	*magazine->top++ = object;
	arch_irq_restore(irqs);
}

/* ---- The short way, for what a magazine has, or has room for; NULL, false: go the whole way ---- */

static inline void *object_pop(size_t size)
{
	if (unlikely(!is_small(size)))
		return NULL;

	bool irqs = arch_irq_save();
	struct magazine *magazine = magazine_for(size);
	void *object = NULL;

	if (likely(magazine->top != magazine->at))
		object = *--magazine->top;
	arch_irq_restore(irqs);
	return object;
}

static inline bool object_push(void *object, size_t size)
{
	if (unlikely(!is_small(size)))
		return false;

	bool irqs = arch_irq_save();
	struct magazine *magazine = magazine_for(size);
	bool has_room = magazine->top != magazine->at + MAGAZINE_MAX;

	if (likely(has_room))
		*magazine->top++ = object;
	arch_irq_restore(irqs);
	return has_room;
}

/* ---- What the rest of the kernel calls ---- */

#define CALLER ((uptr)__builtin_return_address(0))

struct result_ptr kmalloc(size_t size)
{
	if (fault_inject_hit())
		return result_ptr_err(ERR_NOMEM);
	if (IS_ENABLED(CONFIG_ALLOC_DEBUG))
		return kmalloc_debug_alloc(size, CALLER);

	void *object = object_pop(size);

	return likely(object) ? result_ptr_ok(object) : object_alloc(size);
}

void kfree(void *object, size_t size)
{
	if (!object)
		return;
	if (IS_ENABLED(CONFIG_ALLOC_DEBUG))
		kmalloc_debug_free(object, size, CALLER);
	else if (!object_push(object, size))
		object_free(object, size);
}

struct result_ptr kmalloc_zero(size_t size)
{
	struct result_ptr object = kmalloc(size);

	if (!object.err)
		memset(object.value, 0, size);
	return object;
}

static struct result_ptr kmalloc_op(struct allocator *allocator, size_t size)
{
	(void)allocator;
	return kmalloc(size);
}

static void kfree_op(struct allocator *allocator, void *object, size_t size)
{
	(void)allocator;
	kfree(object, size);
}

static const struct allocator_ops kmalloc_ops = { STR("kmalloc"), kmalloc_op, kfree_op };
struct allocator kmalloc_allocator = { &kmalloc_ops };

/* ---- Reserves ---- */

/* False: the magazine is empty. Interrupts are on again after each page. */
static bool magazine_drain_some(void *size_class)
{
	bool irqs = arch_irq_save();
	struct magazine *magazine = &this_cpu()->objects->magazines[*(u32 *)size_class];

	magazine_shed(magazine, 0);

	bool more = magazine->top != magazine->at;

	arch_irq_restore(irqs);
	return more;
}

void kmalloc_drain(void)
{
	if (IS_ENABLED(CONFIG_ALLOC_DEBUG))
		kmalloc_debug_drain(CALLER);
	for (u32 size_class = 0; size_class < KMALLOC_CLASSES; size_class++) {
		harts_while(magazine_drain_some, &size_class);
		slab_drain(size_class);
	}
}

/* Objects that are free and at hand, on all harts. */
static u32 reserve_count(u32 size_class)
{
	u32 count = 0;

	for (u32 i = 0; i < CONFIG_CPU_MAX; i++) {
		const struct magazine *magazine = &caches[i].magazines[size_class];

		count += (u32)(READ_ONCE(magazine->top) - magazine->at);
	}
	return count + (IS_ENABLED(CONFIG_ALLOC_DEBUG) ? kmalloc_debug_waiting(size_class) : 0);
}

/* They change while one looks: a figure for people. */
u64 kmalloc_cached(u32 hart)
{
	u64 objects = 0;

	for (u32 i = 0; hart < CONFIG_CPU_MAX && i < KMALLOC_CLASSES; i++) {
		const struct magazine *magazine = &caches[hart].magazines[i];

		objects += (u64)(READ_ONCE(magazine->top) - magazine->at);
	}
	return objects;
}

/* Exact where nobody else allocates in between, near enough where somebody does. */
enum error kmalloc_statistics(u32 index, struct kmalloc_statistics *statistics)
{
	if (index >= KMALLOC_CLASSES)
		return ERR_NOENT;

	bool irqs = arch_irq_save();
	struct slab_count count = slab_count(index);
	u32 reserved = MIN(reserve_count(index), count.slots);

	arch_irq_restore(irqs);
	*statistics = (struct kmalloc_statistics){
		.size = kmalloc_sizes[index],
		.in_use = count.slots - reserved,
		.reserved = reserved,
		.slabs = count.slabs,
	};
	return OK;
}
