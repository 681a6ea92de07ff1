/*
 * Pools: every object once, none twice, none beyond.
 */
#include <mazu/mem.h>
#include <mazu/pool.h>
#include <mazu/selftest.h>

#define ROOM 1024

static u8 memory[ROOM] __attribute__((aligned(16)));
static struct pool pool;
static u8 *objects[ROOM / 16 + 1];

static enum error init(size_t bytes, size_t size)
{
	memset(memory, 0xa7, sizeof(memory));
	return pool_init(&pool, (struct byte_array){ memory, bytes }, size);
}

/* Takes all there are; returns how many. Each is filled with its number. */
static size_t take_all(size_t size)
{
	struct result_ptr object;
	size_t count = 0;

	while (count < ARRAY_SIZE(objects) && !(object = pool_alloc(&pool)).err) {
		objects[count] = object.value;
		memset(object.value, (int)count, size);
		count++;
	}
	return count;
}

static bool holds_number(const u8 *object, size_t size, size_t number)
{
	for (size_t i = 0; i < size; i++)
		if (object[i] != (u8)number)
			return false;
	return true;
}

SELFTEST(pool_has_as_many_as_fit,
	 "of every size as many as fit, each aligned and apart from all others")
{
	for (size_t size = 1; size <= 200; size++) {
		size_t fit = ROOM / ALIGN_UP(size, 16), count;

		CHECK_EQ(t, init(ROOM, size), OK);
		CHECK_EQ(t, pool.capacity, fit);
		CHECK(t, pool.object_size >= size && pool.object_size % 16 == 0);
		count = take_all(size);
		CHECK_EQ(t, count, fit);
		CHECK_EQ(t, pool.in_use, count);
		CHECK_EQ(t, pool_alloc(&pool).err, ERR_NOMEM);
		for (size_t i = 0; i < count; i++) {
			CHECK(t, objects[i] >= memory && objects[i] + size <= memory + ROOM);
			CHECK_EQ(t, (uptr)objects[i] % 16, 0);
			CHECK(t, holds_number(objects[i], size, i));
		}
	}
}

SELFTEST(pool_recovers, "an object that was given back can be had again, and is the next")
{
	size_t count;

	CHECK_EQ(t, init(ROOM, 64), OK);
	count = take_all(64);
	for (size_t i = 0; i < count; i += 3) {
		struct result_ptr again;

		pool_free(&pool, objects[i]);
		CHECK_EQ(t, pool.in_use, count - 1);
		again = pool_alloc(&pool);
		if (again.err)
			break; /* injected */
		CHECK(t, again.value == objects[i]);
		CHECK_EQ(t, pool_alloc(&pool).err, ERR_NOMEM);
	}
	for (size_t i = 0; i < count; i++)
		CHECK(t, i % 3 == 0 || holds_number(objects[i], 64, i));
}

SELFTEST(pool_any_order, "given back in any order, all of them can be had again")
{
	size_t count, again;

	CHECK_EQ(t, init(ROOM, 48), OK);
	count = take_all(48);
	for (size_t first = 0; first < 3; first++)
		for (size_t i = first; i < count; i += 3)
			pool_free(&pool, objects[i]);
	CHECK_EQ(t, pool.in_use, 0);
	again = take_all(48);
	CHECK_EQ(t, again, count);
	for (size_t i = 0; i < again; i++)
		CHECK(t, holds_number(objects[i], 48, i));
}

SELFTEST(pool_stays_in_its_memory, "no byte beside the objects is written")
{
	CHECK_EQ(t, init(100, 32), OK); /* three objects, and four bytes that are too few for one */
	CHECK_EQ(t, pool.capacity, 3);
	CHECK_EQ(t, take_all(32), 3);
	for (size_t i = 96; i < ROOM; i++)
		CHECK_EQ(t, memory[i], 0xa7);
}

SELFTEST(pool_refuses_bad_memory,
	 "not even one object, misaligned, no size, a size that wraps: ERR_INVAL")
{
	struct byte_array off = { memory + 8, 64 };

	CHECK_EQ(t, init(ROOM, 0), ERR_INVAL);
	CHECK_EQ(t, init(ROOM, ROOM + 1), ERR_INVAL);
	CHECK_EQ(t, init(ROOM, SIZE_MAX), ERR_INVAL);
	CHECK_EQ(t, init(ROOM, SIZE_MAX - 14), ERR_INVAL);
	CHECK_EQ(t, init(0, 1), ERR_INVAL);
	CHECK_EQ(t, init(15, 1), ERR_INVAL);
	CHECK_EQ(t, init(16, 1), OK);
	CHECK_EQ(t, pool_init(&pool, off, 16), ERR_INVAL);
}

SELFTEST(pool_bytes_are_enough, "pool_bytes is what so many objects need, and not a byte more")
{
	for (size_t size = 1; size < 100; size += 7)
		for (size_t count = 1; count <= 8; count++) {
			size_t bytes = pool_bytes(size, count);

			REQUIRE(t, bytes <= ROOM);
			CHECK_EQ(t, init(bytes, size), OK);
			CHECK_EQ(t, pool.capacity, count);
			if (count > 1) {
				CHECK_EQ(t, init(bytes - 1, size), OK);
				CHECK_EQ(t, pool.capacity, count - 1);
			}
		}
}

SELFTEST(pool_behind_the_table,
	 "the table's calls are the pool's; a size that it never has is ERR_INVAL")
{
	struct result_ptr object;

	CHECK_EQ(t, init(ROOM, 40), OK);
	CHECK_STR_EQ(t, pool.allocator.ops->name, STR("pool"));
	CHECK_EQ(t, allocator_alloc(&pool.allocator, 0).err, ERR_INVAL);
	CHECK_EQ(t, allocator_alloc(&pool.allocator, pool.object_size + 1).err, ERR_INVAL);
	CHECK_EQ(t, pool.in_use, 0);
	object = allocator_alloc(&pool.allocator, 40);
	if (object.err)
		return;
	CHECK_EQ(t, pool.in_use, 1);
	allocator_free(&pool.allocator, object.value, 40);
	CHECK_EQ(t, pool.in_use, 0);
}
