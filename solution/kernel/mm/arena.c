/*
 * Arenas: see arena.h, which holds the part that is used most.
 *
 * A chunk begins with a word about itself and the chunk before it. What is left of a chunk when a
 * request does not fit any more is lost until the arena is emptied, so it had better be small
 * beside the chunk. A request that is larger than a chunk gets one of its own, which goes behind the
 * latest in the chain, and pieces go on being cut from that.
 *
 * Invariant: next and end lie in the first chunk of the chain, at multiples of 16; in an empty arena both
 * are NULL, and so nothing fits.
 */
#include <mazu/arena.h>
#include <mazu/fault_inject.h>
#include <mazu/mem.h>

#define POISON 0x6b

struct arena_chunk {
	struct arena_chunk *before;
	size_t size; /* bytes, this header among them */
};
static_assert(sizeof(struct arena_chunk) % 16 == 0, "pieces stay aligned");

/* ---- Chunks ---- */

RESULT_TYPE(chunk, struct arena_chunk *);

/* A chunk that is not in the chain yet. */
static struct result_chunk chunk_add(struct arena *arena, size_t bytes)
{
	if (bytes > arena->limit - arena->used || fault_inject_hit())
		return result_chunk_err(ERR_NOMEM);

	struct result_ptr memory = allocator_alloc(arena->parent, bytes);
	struct arena_chunk *chunk = memory.value;

	if (memory.err)
		return result_chunk_err(ERR_NOMEM); /* also of a parent that never has so much */
	*chunk = (struct arena_chunk){ .size = bytes };
	arena->used += bytes;
	return result_chunk_ok(chunk);
}

/* Gives back a chunk and those before it. */
static void chunks_release(struct arena *arena, struct arena_chunk *chunk)
{
	while (chunk) {
		struct arena_chunk *before = chunk->before;

		arena->used -= chunk->size;
		allocator_free(arena->parent, chunk, chunk->size);
		chunk = before;
	}
}

/* The first chunk of the chain; all of it is free. */
static void chunk_use(struct arena *arena, struct arena_chunk *chunk)
{
	arena->chunks = chunk;
	arena->next = (u8 *)(chunk + 1);
	arena->end = (u8 *)chunk + chunk->size;
}

/* ---- Allocating ---- */

/* A chunk for one piece that does not fit into the usual ones goes behind the one at hand. */
static void chunk_use_whole(struct arena *arena, struct arena_chunk *chunk)
{
	if (arena->chunks) {
		chunk->before = arena->chunks->before;
		arena->chunks->before = chunk;
	} else {
		chunk_use(arena, chunk);
		arena->next = arena->end;
	}
}

struct result_ptr arena_alloc_slow(struct arena *arena, size_t size)
{
	size_t piece = ALIGN_UP(size, 16), bytes = piece + sizeof(struct arena_chunk);

	if (size == 0)
		return result_ptr_err(ERR_INVAL);
	if (bytes < size)
		return result_ptr_err(ERR_NOMEM); /* it wrapped */

	struct result_chunk chunk = chunk_add(arena, MAX(bytes, arena->chunk_size));

	if (chunk.err)
		return result_ptr_err(chunk.err);
	if (bytes > arena->chunk_size) {
		chunk_use_whole(arena, chunk.value);
	} else {
		chunk.value->before = arena->chunks;
		chunk_use(arena, chunk.value);
		arena->next += piece;
	}
	return result_ptr_ok(chunk.value + 1);
}

/* ---- Emptying ---- */

/* The chunk at hand stays. It is larger than usual only where no usual one was needed yet. */
void arena_reset(struct arena *arena)
{
	struct arena_chunk *chunk = arena->chunks;

	if (!chunk || chunk->size != arena->chunk_size)
		return arena_release(arena);
	chunks_release(arena, chunk->before);
	chunk->before = NULL;
	chunk_use(arena, chunk);
	if (IS_ENABLED(CONFIG_ALLOC_DEBUG)) /* who kept a pointer into it finds out */
		memset(arena->next, POISON, (size_t)(arena->end - arena->next));
}

void arena_release(struct arena *arena)
{
	chunks_release(arena, arena->chunks);
	arena->chunks = NULL;
	arena->next = arena->end = NULL;
}

/* ---- The table ---- */

static struct result_ptr arena_op_alloc(struct allocator *allocator, size_t size)
{
	return arena_alloc(container_of(allocator, struct arena, allocator), size);
}

static void arena_op_free(struct allocator *allocator, void *object, size_t size)
{
	(void)allocator;
	(void)object;
	(void)size;
}

static const struct allocator_ops arena_ops = { STR("arena"), arena_op_alloc, arena_op_free };

void arena_init(struct arena *arena, struct allocator *parent, size_t chunk_size, size_t limit)
{
	*arena = (struct arena){
		.allocator = { &arena_ops },
		.parent = parent,
		.chunk_size = chunk_size,
		.limit = limit,
	};
}
