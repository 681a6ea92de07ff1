/*
 * kmalloc.h - memory for objects of any size.
 *
 * Up to KMALLOC_SLAB_MAX bytes come from size classes: pages cut into objects of one size, with
 * a small stack of free objects a hart in front. Larger ones are whole blocks of pages.
 * Addresses are multiples of 16. Contents are undefined, unless the name says zero.
 *
 * Whoever frees says how much, as they said when they asked: it saves looking it up, and debug
 * builds check it. They also put red zones around each object, poison what is free, keep freed
 * objects in quarantine for a while, and report overruns, double frees, uses after free and
 * wrong sizes as a panic with the backtraces of the allocation and of the free.
 *
 * Any context. Freeing needs no memory and cannot fail.
 */
#ifndef MAZU_KMALLOC_H
#define MAZU_KMALLOC_H

#include <mazu/allocator.h>
#include <mazu/page.h>

#define KMALLOC_ALIGN 16
#define KMALLOC_SLAB_MAX 2048
#define KMALLOC_MAX (PAGE_SIZE << PAGE_ORDER_MAX)

/* ERR_NOMEM; ERR_INVAL: size is 0 or above KMALLOC_MAX. */
struct result_ptr __must_check kmalloc(size_t size);
struct result_ptr __must_check kmalloc_zero(size_t size);

/* NULL is ignored, whatever the size. */
void kfree(void *object, size_t size);

/* The same behind the operations table (allocator.h). */
extern struct allocator kmalloc_allocator;

/* Gives back what this hart keeps in reserve: free objects, empty slabs, the quarantine. */
void kmalloc_drain(void);

/* Called once, after page_init(). */
void kmalloc_init(void);

struct kmalloc_statistics {
	u32 size;     /* of the objects of this class, as the user sees it */
	u32 in_use;   /* objects that somebody has */
	u32 reserved; /* free ones that the harts keep at hand, quarantine included */
	u32 slabs;    /* pages */
};

/* Of class `index`; ERR_NOENT behind the last. */
enum error __must_check kmalloc_statistics(u32 index, struct kmalloc_statistics *statistics);

/* Free objects of all classes that a hart has at hand; 0 where there is none. */
u64 kmalloc_cached(u32 hart);

#endif
