/*
 * kmalloc_internal.h - what the files behind kmalloc.h share.
 *
 *	kmalloc.c	magazines, large blocks, and which build does what
 *	kmalloc_slab.c	slabs: pages cut into objects of one class
 *	kmalloc_debug.c	records, red zones, quarantine (CONFIG_ALLOC_DEBUG)
 *	kmalloc_report.c what they find
 */
#ifndef MM_KMALLOC_INTERNAL_H
#define MM_KMALLOC_INTERNAL_H

#include <mazu/config.h>
#include <mazu/kmalloc.h>

#define KMALLOC_CLASSES 13
#define MAGAZINE_MAX 15
#define MAGAZINE_HALF 8

/* Free objects of one class that a hart has at hand: two lines of the cache. */
struct magazine {
	void **top; /* where the next one goes; at: empty, at + MAGAZINE_MAX: full */
	void *at[MAGAZINE_MAX];
};
static_assert(sizeof(struct magazine) == 128, "a shift leads to a class's magazine");

struct object_cache {
	struct magazine magazines[KMALLOC_CLASSES];
} __per_hart;

/* Bytes of the objects of each class, as the user sees them. */
extern const u16 kmalloc_sizes[KMALLOC_CLASSES];

/* What debug builds add to each object: a record and two red zones. */
#define KMALLOC_OVERHEAD (IS_ENABLED(CONFIG_ALLOC_DEBUG) ? 96U : 0U)

/* Bytes from one object of a slab to the next. */
static inline u32 slot_size(u32 size_class)
{
	return kmalloc_sizes[size_class] + KMALLOC_OVERHEAD;
}

static inline bool is_small(size_t size)
{
	return size - 1 < KMALLOC_SLAB_MAX;
}

/* Memory as it is, in any build: of a small size a whole slot, else a block of pages. */
struct result_ptr __must_check object_alloc(size_t size);
void object_free(void *object, size_t size);

/* ---- Slabs ---- */

void slab_init(void);

/* Up to `count` slots of a class to `slots`; returns how many. Allocates one page at most. */
u32 slab_take(u32 size_class, void **slots, u32 count);

/*
 * Takes back those of `count` slots that are not among the first `keep`, the last first; stops when it
 * has given back a page. Returns how many are left.
 */
u32 slab_give(u32 size_class, void *const *slots, u32 count, u32 keep);

/* Gives back a class's empty slab, if there is one in reserve. */
void slab_drain(u32 size_class);

struct slab_count {
	u32 slots; /* that are not in slabs */
	u32 slabs;
};

struct slab_count slab_count(u32 size_class);

/* ---- Debug builds; `caller`: the return address of who called kmalloc() or kfree() ---- */

struct result_ptr __must_check kmalloc_debug_alloc(size_t size, uptr caller);
void kmalloc_debug_free(void *object, size_t size, uptr caller);

/* Ends the quarantine of all that wait in it. */
void kmalloc_debug_drain(uptr caller);

/* Objects of a class that wait in the quarantine. */
u32 kmalloc_debug_waiting(u32 size_class);

/* A slot that was just cut from a new slab: whatever it holds, it is no object. */
void kmalloc_debug_cut(void *slot);

#endif
