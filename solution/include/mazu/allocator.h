/*
 * allocator.h - one table of operations for everything that hands out memory.
 *
 * kmalloc, pools and arenas differ in what they promise, not in how they are called: code that
 * takes a `struct allocator *` works with any of them. Calling one directly is faster.
 *
 *	kmalloc	 any size, any order of freeing, any context
 *	pool	 one size, constant time, a fixed number
 *	arena	 any size, constant time, freed all at once
 */
#ifndef MAZU_ALLOCATOR_H
#define MAZU_ALLOCATOR_H

#include <mazu/error.h>
#include <mazu/str.h>
#include <mazu/types.h>

struct allocator;

struct allocator_ops {
	struct str name;
	/* ERR_NOMEM; ERR_INVAL: a size that this allocator never has. */
	struct result_ptr (*alloc)(struct allocator *allocator, size_t size);
	/* `size` as it was asked for; an arena ignores the call. */
	void (*free)(struct allocator *allocator, void *object, size_t size);
};

struct allocator {
	const struct allocator_ops *ops;
};

static inline struct result_ptr __must_check allocator_alloc(struct allocator *allocator,
							     size_t size)
{
	/* a variable, because gcc's analyzer loses a structure that is handed through */
	struct result_ptr object = allocator->ops->alloc(allocator, size);

	return object;
}

static inline void allocator_free(struct allocator *allocator, void *object, size_t size)
{
	allocator->ops->free(allocator, object, size);
}

#endif
