/*
 * pool.h - a fixed number of objects of one size, in constant time.
 *
 * A pool lives in memory that its owner gives it and needs nothing else: it cannot fragment, and
 * when it is empty it says so. Free objects are a stack through their first word. For what
 * must not fail half-way or wait: connections, requests, timers.
 *
 * Guarded by its owner's lock. Debug builds refuse (by a panic) an object that is not of this
 * pool, lies between two, or is free already.
 */
#ifndef MAZU_POOL_H
#define MAZU_POOL_H

#include <mazu/allocator.h>
#include <mazu/bytes.h>

struct pool {
	struct allocator allocator; /* for those who go through the table */
	void *free;		    /* the stack */
	size_t object_size;	    /* a multiple of 16 */
	size_t capacity;
	size_t in_use;
	u8 *memory;
};

/* Bytes that `capacity` objects of `object_size` need. */
size_t pool_bytes(size_t object_size, size_t capacity);

/*
 * As many objects of `object_size` (> 0) bytes as fit into `memory`, which is aligned to 16 and
 * stays the pool's. ERR_INVAL: not even one, or not aligned.
 */
enum error __must_check pool_init(struct pool *pool, struct byte_array memory, size_t object_size);

/* ERR_NOMEM: all are in use. Contents are undefined. */
struct result_ptr __must_check pool_alloc(struct pool *pool);
void pool_free(struct pool *pool, void *object);

#endif
