/*
 * Slabs: pages cut into slots of one size.
 *
 * A slab is one page. All that is known of it is in the page's frame: its class, how many of its
 * slots are out, how many were ever cut off (`carved`: a new slab is not prepared, it is cut as it
 * is used), and its free slots, a stack through their first words.
 *
 * Invariant: a slab of which some slots are out and some are not is on its class's list. A full one
 * is on no list: the next slot that comes back leads to it. An empty one is the class's spare, so
 * that a class which goes from none to one and back does not take a page each time; if there is a
 * spare already, it goes back to the pages.
 *
 * Slots come and go in small batches, so the lock is held for a bounded time: forty instructions a
 * slot, of which there are MAGAZINE_HALF at most (MAGAZINE_MAX in a drain), and one page.
 *
 * Source: J. Bonwick, "The Slab Allocator", USENIX 1994.
 */
#include "kmalloc_internal.h"
#include "page_internal.h"

#include <mazu/panic.h>
#include <mazu/spinlock.h>

struct slab_class {
	struct list partial; /* frames; the one to take from is first */
	struct frame *spare; /* or NULL */
	u32 slots;	     /* that are out */
	u32 slabs;
	u32 capacity; /* slots in a slab; never changes */
};

static struct spinlock slabs_lock = SPINLOCK_INIT(LOCK_SLABS);
static struct slab_class classes[KMALLOC_CLASSES]; /* slabs_lock */

void slab_init(void)
{
	for (u32 i = 0; i < KMALLOC_CLASSES; i++) {
		list_init(&classes[i].partial);
		classes[i].capacity = (u32)PAGE_SIZE / slot_size(i);
	}
}

/* ---- Taking ---- */

/* A new, empty slab, or NULL. */
static struct frame *slab_add_locked(u32 size_class)
{
	struct result_ptr page = page_alloc(0, PAGE_SLAB);

	if (page.err)
		return NULL;

	struct frame *slab = page_frame(page.value);

	slab->size_class = (u8)size_class;
	slab->in_use = 0;
	slab->carved = 0;
	slab->objects = NULL;
	classes[size_class].slabs++;
	return slab;
}

/* Whether the list has a slab now. */
static bool slab_find_locked(u32 size_class)
{
	struct slab_class *kind = &classes[size_class];
	struct frame *slab = kind->spare;

	if (!list_is_empty(&kind->partial))
		return true;
	if (!slab)
		slab = slab_add_locked(size_class);
	if (!slab)
		return false;
	kind->spare = NULL;
	list_push_front(&kind->partial, &slab->link);
	return true;
}

static void *slot_cut_locked(struct frame *slab)
{
	void *slot = (u8 *)frame_page(slab) + slab->carved++ * slot_size(slab->size_class);

	if (IS_ENABLED(CONFIG_ALLOC_DEBUG))
		kmalloc_debug_cut(slot);
	return slot;
}

/* One slot of the first slab on the list. */
static void *slot_take_locked(struct slab_class *kind)
{
	struct frame *slab = container_of(kind->partial.next, struct frame, link);
	void *slot = slab->objects;

	if (slot) {
		slab->objects = *(void **)slot;
		ASSERT(!slab->objects || page_frame(slab->objects) == slab);
	} else {
		slot = slot_cut_locked(slab);
	}
	kind->slots++;
	if (++slab->in_use == kind->capacity)
		list_remove(&slab->link);
	return slot;
}

u32 slab_take(u32 size_class, void **slots, u32 count)
{
	struct slab_class *kind = &classes[size_class];
	bool irqs = spin_lock_irqsave(&slabs_lock);
	u32 taken = 0;

	if (slab_find_locked(size_class))
		do
			slots[taken++] = slot_take_locked(kind);
		while (taken < count && !list_is_empty(&kind->partial));
	spin_unlock_irqrestore(&slabs_lock, irqs);
	return taken;
}

/* ---- Giving back ---- */

static void slab_drop_locked(struct slab_class *kind, struct frame *slab)
{
	kind->slabs--;
	slab->owners = 1; /* a page like any other again */
	page_free(frame_page(slab), 0);
}

/* An empty slab, which is on no list. Whether it went back to the pages. */
static bool slab_retire_locked(struct slab_class *kind, struct frame *slab)
{
	bool is_spare = !kind->spare;

	if (is_spare)
		kind->spare = slab;
	else
		slab_drop_locked(kind, slab);
	return !is_spare;
}

/* Whether a page was given back. */
static bool slot_give_locked(u32 size_class, void *slot)
{
	struct slab_class *kind = &classes[size_class];
	struct frame *slab = page_frame(slot);

	ASSERT(slab && slab->type == PAGE_SLAB && slab->size_class == size_class);

	bool was_full = slab->in_use == kind->capacity;

	*(void **)slot = slab->objects;
	slab->objects = slot;
	kind->slots--;
	if (--slab->in_use > 0) {
		if (was_full)
			list_push_front(&kind->partial, &slab->link);
		return false;
	}
	if (!was_full)
		list_remove(&slab->link);
	return slab_retire_locked(kind, slab);
}

u32 slab_give(u32 size_class, void *const *slots, u32 count, u32 keep)
{
	bool irqs = spin_lock_irqsave(&slabs_lock);

	while (count > keep)
		if (slot_give_locked(size_class, slots[--count]))
			break;
	spin_unlock_irqrestore(&slabs_lock, irqs);
	return count;
}

void slab_drain(u32 size_class)
{
	struct slab_class *kind = &classes[size_class];
	bool irqs = spin_lock_irqsave(&slabs_lock);

	if (kind->spare)
		slab_drop_locked(kind, kind->spare);
	kind->spare = NULL;
	spin_unlock_irqrestore(&slabs_lock, irqs);
}

/* ---- Looking ---- */

struct slab_count slab_count(u32 size_class)
{
	bool irqs = spin_lock_irqsave(&slabs_lock);
	struct slab_count count = { classes[size_class].slots, classes[size_class].slabs };

	spin_unlock_irqrestore(&slabs_lock, irqs);
	return count;
}
