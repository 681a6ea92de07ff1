/*
 * Arenas: pieces that do not overlap, a limit that holds, and a parent that gets back what it gave.
 */
#include <mazu/arena.h>
#include <mazu/mem.h>
#include <mazu/pool.h>
#include <mazu/selftest.h>

#define CHUNK 256
#define HEADER 16 /* of a chunk */
#define SLOTS 12
#define SLOT_SIZE 1024

/* ---- A parent that remembers what it gave, and finds out who gives back something else ---- */

static u8 slots[SLOTS][SLOT_SIZE] __attribute__((aligned(16)));

static struct {
	struct allocator allocator;
	size_t sizes[SLOTS]; /* 0: free */
	size_t given;	     /* bytes */
	u32 calls, wrong;
	u32 failing; /* the call, counted from 1, that says ERR_NOMEM */
} parent;

static struct result_ptr parent_alloc(struct allocator *allocator, size_t size)
{
	(void)allocator;
	if (++parent.calls == parent.failing || size > SLOT_SIZE)
		return result_ptr_err(size > SLOT_SIZE ? ERR_INVAL : ERR_NOMEM);
	for (u32 i = 0; i < SLOTS; i++)
		if (parent.sizes[i] == 0) {
			parent.sizes[i] = size;
			parent.given += size;
			return result_ptr_ok(memset(slots[i], 0x77, SLOT_SIZE));
		}
	return result_ptr_err(ERR_NOMEM);
}

static void parent_free(struct allocator *allocator, void *object, size_t size)
{
	size_t slot = (size_t)((u8 *)object - slots[0]) / SLOT_SIZE;

	(void)allocator;
	if (slot >= SLOTS || object != slots[slot] || parent.sizes[slot] != size) {
		parent.wrong++;
		return;
	}
	for (size_t i = size; i < SLOT_SIZE; i++)
		parent.wrong += slots[slot][i] != 0x77; /* written behind what it had */
	parent.sizes[slot] = 0;
	parent.given -= size;
}

static struct arena arena;

static void begin(size_t chunk_size, size_t limit)
{
	static const struct allocator_ops ops = { STR("parent"), parent_alloc, parent_free };

	memset(&parent, 0, sizeof(parent));
	parent.allocator.ops = &ops;
	arena_init(&arena, &parent.allocator, chunk_size, limit);
}

static void end(struct selftest *t)
{
	arena_release(&arena);
	CHECK_EQ(t, parent.given, 0);
	CHECK_EQ(t, parent.wrong, 0);
	CHECK_EQ(t, arena.used, 0);
	CHECK(t, !arena.chunks && arena.next == arena.end);
}

/* ---- Pieces ---- */

SELFTEST(arena_pieces_apart,
	 "pieces of any size are aligned, do not overlap, and keep what is in them")
{
	static struct {
		u8 *at;
		size_t size;
	} pieces[64];
	u32 count = 0;

	begin(CHUNK, SLOTS * SLOT_SIZE);
	for (; count < ARRAY_SIZE(pieces); count++) {
		size_t size = 1 + count * 37 % 100;
		struct result_ptr piece = arena_alloc(&arena, size);

		if (piece.err)
			break;
		CHECK_EQ(t, (uptr)piece.value % 16, 0);
		pieces[count].at = memset(piece.value, (int)count, size);
		pieces[count].size = size;
	}
	CHECK(t, count > 16);
	for (u32 i = 0; i < count; i++)
		for (size_t k = 0; k < pieces[i].size; k++)
			CHECK_EQ(t, pieces[i].at[k], i);
	CHECK_EQ(t, arena.used, parent.given);
	end(t);
}

SELFTEST(arena_takes_nothing_early,
	 "an arena that nobody uses has no memory; one byte is one chunk")
{
	begin(CHUNK, SIZE_MAX);
	CHECK_EQ(t, parent.calls, 0);
	arena_reset(&arena);
	arena_release(&arena);
	CHECK_EQ(t, arena_alloc(&arena, 0).err, ERR_INVAL);
	CHECK_EQ(t, parent.calls, 0);
	if (!arena_alloc(&arena, 1).err) {
		CHECK_EQ(t, parent.calls, 1);
		CHECK_EQ(t, parent.given, CHUNK);
		CHECK_EQ(t, arena_alloc(&arena, 0).err, ERR_INVAL);
	}
	end(t);
}

SELFTEST(arena_fills_a_chunk, "a chunk is used to its last byte before another is taken")
{
	bool got;

	begin(CHUNK, SIZE_MAX);
	got = !arena_alloc(&arena, CHUNK - HEADER - 32).err;
	CHECK(t, got && !arena_alloc(&arena, 16).err);
	CHECK(t, got && !arena_alloc(&arena, 9).err); /* 16, with what is lost to alignment */
	CHECK_EQ(t, parent.calls, 1);
	CHECK(t, arena.next == arena.end);
	CHECK(t, got && !arena_alloc(&arena, 1).err);
	CHECK_EQ(t, parent.calls, 2);
	end(t);
}

SELFTEST(arena_large_pieces,
	 "what is larger than a chunk gets one of its own, no larger than needed")
{
	static const size_t sizes[] = { CHUNK - HEADER, CHUNK - HEADER + 1, CHUNK,
					SLOT_SIZE - HEADER };

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct result_ptr piece;

		begin(CHUNK, SIZE_MAX);
		piece = arena_alloc(&arena, sizes[i]);
		if (!piece.err) {
			memset(piece.value, 1, sizes[i]);
			CHECK_EQ(t, parent.given, ALIGN_UP(sizes[i], 16) + HEADER);
		}
		end(t);
	}
}

/* ---- The limit and other ends ---- */

SELFTEST(arena_limit, "chunks never exceed the limit, headers included; up to it there is memory")
{
	for (size_t limit = 0; limit <= 3 * CHUNK + 16; limit += 16) {
		u32 count = 0;

		begin(CHUNK, limit);
		while (count < 8 && !arena_alloc(&arena, CHUNK / 2).err) /* one a chunk */
			count++;
		CHECK_EQ(t, count, limit / CHUNK);
		CHECK(t, parent.given <= limit);
		end(t);
	}
	begin(CHUNK, 2 * CHUNK);
	CHECK_EQ(t, arena_alloc(&arena, 2 * CHUNK - HEADER + 1).err, ERR_NOMEM);
	CHECK(t, !arena_alloc(&arena, 2 * CHUNK - HEADER).err);
	CHECK_EQ(t, arena_alloc(&arena, 1).err, ERR_NOMEM);
	CHECK_EQ(t, arena.used, 2 * CHUNK);
	end(t);
}

SELFTEST(arena_refuses_huge, "sizes near the largest number are ERR_NOMEM and do not wrap")
{
	begin(CHUNK, SIZE_MAX);
	for (int round = 0; round < 2; round++) {
		for (size_t less = 0; less < 64; less++)
			CHECK_EQ(t, arena_alloc(&arena, SIZE_MAX - less).err, ERR_NOMEM);
		CHECK_EQ(t, arena_alloc(&arena, 1UL << 63).err, ERR_NOMEM);
		CHECK_EQ(t, arena_alloc(&arena, SLOT_SIZE).err,
			 ERR_NOMEM); /* the parent's ERR_INVAL */
		CHECK_EQ(t, arena.used, parent.given);
		CHECK(t, !arena_alloc(&arena, 1).err); /* and again with a chunk */
	}
	end(t);
}

SELFTEST(arena_survives_a_poor_parent,
	 "when the parent has none, the arena says so and stays as it was")
{
	begin(CHUNK, SIZE_MAX);
	parent.failing = 2;
	if (!arena_alloc(&arena, CHUNK / 2).err) {
		u8 *next = arena.next;

		CHECK_EQ(t, arena_alloc(&arena, CHUNK / 2).err, ERR_NOMEM);
		CHECK(t, arena.next == next && arena.used == CHUNK);
		CHECK(t, !arena_alloc(&arena, 16).err); /* what is left is still good */
		CHECK(t, !arena_alloc(&arena, CHUNK / 2).err);
		CHECK_EQ(t, arena.used, parent.given);
	}
	end(t);
}

/* ---- Reset and release ---- */

SELFTEST(arena_reset_keeps_one, "reset keeps one chunk of the usual size, and that is used first")
{
	begin(CHUNK, 8 * SLOT_SIZE);
	for (u32 round = 0; round < 3; round++) {
		struct result_ptr first = arena_alloc(&arena, 16);
		struct result_ptr large = arena_alloc(&arena, 2 * CHUNK);

		CHECK(t, !first.err && !large.err);
		for (u32 i = 0; i < 4; i++)
			CHECK(t, !arena_alloc(&arena, CHUNK / 2).err);
		arena_reset(&arena);
		CHECK_EQ(t, arena.used, CHUNK);
		CHECK_EQ(t, parent.given, CHUNK);

		u32 calls = parent.calls;

		CHECK(t, !arena_alloc(&arena, CHUNK - HEADER).err); /* all of it */
		CHECK_EQ(t, parent.calls, calls);
		CHECK(t, arena.next == arena.end);
		arena_reset(&arena);
	}
	end(t);
}

SELFTEST(arena_reset_finds_one, "it is kept wherever it lies in the chain; of other sizes none is")
{
	begin(CHUNK, SIZE_MAX);
	CHECK(t, !arena_alloc(&arena, 2 * CHUNK).err); /* the first is a large one */
	CHECK(t, !arena_alloc(&arena, 1).err);
	CHECK(t, !arena_alloc(&arena, 2 * CHUNK).err);
	arena_reset(&arena);
	CHECK_EQ(t, parent.given, CHUNK);
	CHECK_EQ(t, arena.used, CHUNK);
	arena_release(&arena);
	CHECK(t, !arena_alloc(&arena, 2 * CHUNK).err);
	arena_reset(&arena);
	CHECK_EQ(t, parent.given, 0);
	CHECK(t, !arena_alloc(&arena, 1).err);
	end(t);
}

SELFTEST(arena_after_release, "after release an arena is as new, as often as one likes")
{
	for (u32 round = 0; round < 5; round++) {
		if (round == 0)
			begin(CHUNK, 2 * CHUNK);
		for (u32 i = 0; i < 2; i++)
			CHECK(t, !arena_alloc(&arena, CHUNK - HEADER).err);
		CHECK_EQ(t, arena_alloc(&arena, 1).err, ERR_NOMEM);
		end(t);
		arena_release(&arena);
	}
}

/* ---- The table ---- */

SELFTEST(arena_behind_the_table,
	 "the table's calls are the arena's; freeing one piece does nothing")
{
	struct allocator *table = &arena.allocator;
	struct result_ptr piece;

	begin(CHUNK, SIZE_MAX);
	CHECK_STR_EQ(t, table->ops->name, STR("arena"));
	CHECK_EQ(t, allocator_alloc(table, 0).err, ERR_INVAL);
	piece = allocator_alloc(table, 32);
	if (!piece.err) {
		u8 *next = arena.next;

		CHECK(t, next == (u8 *)piece.value + 32);
		allocator_free(table, piece.value, 32);
		CHECK(t, arena.next == next && arena.used == CHUNK);
	}
	end(t);
}

SELFTEST(arena_from_a_pool, "a pool as the parent gives chunks of its one size and nothing larger")
{
	static u8 memory[3 * CHUNK] __attribute__((aligned(16)));
	struct pool pool;

	REQUIRE(t, !pool_init(&pool, (struct byte_array){ memory, sizeof(memory) }, CHUNK));
	arena_init(&arena, &pool.allocator, CHUNK, SIZE_MAX);
	for (u32 i = 0; i < 3; i++)
		CHECK(t, !arena_alloc(&arena, CHUNK - HEADER).err);
	CHECK_EQ(t, pool.in_use, 3);
	CHECK_EQ(t, arena_alloc(&arena, 1).err, ERR_NOMEM);
	CHECK_EQ(t, arena_alloc(&arena, CHUNK).err, ERR_NOMEM);
	arena_reset(&arena);
	CHECK_EQ(t, pool.in_use, 1);
	CHECK(t, !arena_alloc(&arena, 1).err);
	arena_release(&arena);
	CHECK_EQ(t, pool.in_use, 0);
}

SELFTEST(arena_from_an_arena, "an arena as the parent: its limit bounds both")
{
	struct arena inner;
	u32 count = 0;

	begin(SLOT_SIZE, SLOT_SIZE);
	arena_init(&inner, &arena.allocator, 64, SIZE_MAX);
	while (count < 100 && !arena_alloc(&inner, 48).err)
		count++;
	CHECK_EQ(t, count, (SLOT_SIZE - HEADER) / 64);
	arena_release(&inner);
	end(t);
}
