/*
 * arena.h - memory for the length of a request: taken piece by piece, freed all at once.
 *
 * An arena cuts pieces from a chunk by moving a pointer and takes another chunk from its parent
 * when one is used up. Nothing is freed alone; arena_reset() empties it and keeps one chunk,
 * arena_release() gives everything back. So a request's memory cannot leak, and a limit on
 * the arena bounds what one request may cost.
 *
 * Guarded by its owner.
 */
#ifndef MAZU_ARENA_H
#define MAZU_ARENA_H

#include <mazu/allocator.h>

struct arena_chunk;

struct arena {
	struct allocator allocator; /* for those who go through the table */
	u8 *next;		    /* the first free byte of the latest chunk, aligned to 16 */
	u8 *end;		    /* behind its last */
	struct arena_chunk *chunks; /* the latest first */
	struct allocator *parent;
	size_t chunk_size; /* bytes that are taken from the parent at a time */
	size_t used;	   /* bytes in chunks */
	size_t limit;	   /* ... and how many there may be */
};

/* Empty, and takes nothing from `parent` yet. chunk_size >= 64 and a multiple of 16. */
void arena_init(struct arena *arena, struct allocator *parent, size_t chunk_size, size_t limit);

/* A new chunk for arena_alloc; of its own size when `size` is larger than the usual one. */
struct result_ptr __must_check arena_alloc_slow(struct arena *arena, size_t size);

/* `size` bytes at a multiple of 16, or ERR_NOMEM: the limit, or the parent's. 0 bytes are ERR_INVAL. */
static inline struct result_ptr __must_check arena_alloc(struct arena *arena, size_t size)
{
	size_t room = (size_t)(arena->end - arena->next);
	u8 *piece = arena->next;

	if (unlikely(size - 1 >= room))
		return arena_alloc_slow(arena, size);
	/* room is a multiple of 16, so the rounded size fits when the size does */
	arena->next = piece + ALIGN_UP(size, 16);
	return result_ptr_ok(piece);
}

/* Empties it. One chunk of the usual size stays for the next request. */
void arena_reset(struct arena *arena);

/* Gives everything back; the arena is as after arena_init. */
void arena_release(struct arena *arena);

#endif
