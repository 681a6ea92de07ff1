/*
 * model_misuse.c - what debug builds say when objects are misused: of kmalloc and of pools. Each body is run
 * in a process of its own, since nothing can be trusted after it.
 */
#define _GNU_SOURCE /* memmem */

#include "machine.h"

#include <mazu/config.h>
#include <mazu/kmalloc.h>
#include <mazu/pool.h>
#include <mazu/selftest.h>

#include <string.h>

#ifdef CONFIG_ALLOC_DEBUG

struct misuse {
	void (*body)(size_t size);
	struct str words;	     /* the panic has them */
	bool allocated_by, freed_by; /* which backtraces come before */
	size_t sizes[4];	     /* each is tried; 0: no more */
};

static const struct misuse *misuse;
static size_t misuse_size;

static void run(void *arg)
{
	(void)arg;
	misuse->body(misuse_size);
}

static bool says(struct str words)
{
	struct str text = machine_panic_text();

	return text.len > 0 && memmem(text.data, text.len, words.data, words.len);
}

static bool is_reported(void *arg)
{
	(void)arg;
	machine_log_clear();
	return machine_panics(run, NULL) && says(misuse->words) &&
	       machine_log_has(STR("allocated by:\n  0x")) == misuse->allocated_by &&
	       machine_log_has(STR("freed by:\n  0x")) == misuse->freed_by;
}

static bool is_found(const struct misuse *one)
{
	misuse = one;
	for (u32 i = 0; i < ARRAY_SIZE(one->sizes) && one->sizes[i]; i++) {
		misuse_size = one->sizes[i];
		if (!machine_child(is_reported, NULL))
			return false;
	}
	return true;
}

/* ---- kmalloc ---- */

static u8 *object_of(size_t size)
{
	return kmalloc(size).value;
}

static void overrun(size_t size)
{
	u8 *object = object_of(size);

	object[size] ^= 1;
	kfree(object, size);
}

static void overrun_by_far(size_t size)
{
	u8 *object = object_of(size);

	object[size + 15] ^= 0x80;
	kfree(object, size);
}

static void underrun(size_t size)
{
	u8 *object = object_of(size);

	object[-1] ^= 1;
	kfree(object, size);
}

static void underrun_by_far(size_t size)
{
	u8 *object = object_of(size);

	object[-16] ^= 1;
	kfree(object, size);
}

static void free_twice(size_t size)
{
	u8 *object = object_of(size);

	kfree(object, size);
	kfree(object, size);
}

static void write_after_free(size_t size)
{
	u8 *object = object_of(size);

	kfree(object, size);
	object[size / 2] ^= 1;
	kmalloc_drain();
}

/* Behind the quarantine, in a magazine: found when it is given out. */
static void write_long_after_free(size_t size)
{
	u8 *object = object_of(size);

	kfree(object, size);
	for (u32 i = 0; i < 128; i++)
		kfree(object_of(40), 40);
	object[0] ^= 1;
	for (u32 i = 0; i < 40; i++)
		object_of(size);
}

static void free_as_smaller(size_t size)
{
	kfree(object_of(size), size - 1);
}

static void free_as_larger(size_t size)
{
	kfree(object_of(size), size + 1);
}

static void free_as_large(size_t size)
{
	kfree(object_of(size), 3 * PAGE_SIZE);
}

static void free_inside(size_t size)
{
	kfree(object_of(size) + 16, size);
}

static void free_off(size_t size)
{
	kfree(object_of(size) + 1, size);
}

static void free_foreign(size_t size)
{
	static u64 foreign[64];

	kfree(foreign, size);
}

static void free_page(size_t size)
{
	kfree(page_alloc(0, PAGE_TEST).value, size);
}

static void free_never_cut(size_t size)
{
	u8 *object = object_of(size); /* the first of a slab; the last was not cut yet */

	kfree((u8 *)((uptr)object | PAGE_MASK) - 0xaf, size);
}

SELFTEST(model_misuse_kmalloc,
	 "every misuse of an object is a panic that says what, who allocated it and who freed it")
{
	static const struct misuse misuses[] = {
		{ overrun, STR("overrun"), true, false, { 1, 24, 2048, 5000 } },
		{ overrun_by_far, STR("overrun"), true, false, { 1, 24, 2048, 5000 } },
		{ underrun, STR("underrun"), true, false, { 1, 24, 2048 } },
		{ underrun_by_far, STR("underrun"), true, false, { 1, 24, 2048 } },
		{ free_twice, STR("double free"), true, true, { 1, 24, 2048, 5000 } },
		{ write_after_free, STR("use after free"), true, true, { 1, 24, 2048 } },
		{ write_long_after_free, STR("use after free"), true, true, { 24, 2000 } },
		{ free_as_smaller, STR("freed with size"), true, false, { 2, 24, 2048, 5000 } },
		{ free_as_larger, STR("freed with size"), true, false, { 1, 24, 2048, 5000 } },
		{ free_as_large, STR("freed with size"), true, false, { 1, 2048, 5000 } },
		{ free_inside, STR("kmalloc: "), false, false, { 24, 2048 } },
		{ free_off, STR("kmalloc: "), false, false, { 24, 2048, 5000 } },
		{ free_foreign, STR("kmalloc: "), false, false, { 24, 2048, 5000 } },
		{ free_page, STR("kmalloc: "), false, false, { 24, 2048, 4096 } },
		{ free_never_cut, STR("kmalloc: "), false, false, { 24 } },
	};

	for (size_t i = 0; i < ARRAY_SIZE(misuses); i++)
		CHECK_EQ(t, is_found(&misuses[i]) ? i : UINT32_MAX, i);
}

static void use_well(void *arg)
{
	(void)arg;
	for (size_t size = 1; size < 9000; size += size / 8 + 1) {
		u8 *object = object_of(size);

		memset(object, 0x6b, size); /* the pattern itself */
		kfree(object, size);
		memset(object_of(size), 0xb5, size);
	}
	kmalloc_drain();
}

static bool is_silent(void *arg)
{
	machine_log_clear();
	return !machine_panics(use_well, arg) && machine_log().len == 0;
}

SELFTEST(model_misuse_none, "what is right is not reported")
{
	CHECK(t, machine_child(is_silent, NULL));
}

/* ---- Pools ---- */

static u8 pool_memory[512] __attribute__((aligned(16)));
static struct pool pool;

static u8 *pool_object(size_t size)
{
	if (pool_init(&pool, (struct byte_array){ pool_memory, sizeof(pool_memory) }, size))
		return NULL;
	return pool_alloc(&pool).value;
}

static void pool_free_twice(size_t size)
{
	u8 *object = pool_object(size);

	pool_free(&pool, object);
	pool_free(&pool, object);
}

static void pool_free_twice_later(size_t size)
{
	u8 *object = pool_object(size), *other = pool_alloc(&pool).value;

	pool_free(&pool, object);
	pool_free(&pool, other);
	pool_free(&pool, object);
}

static void pool_free_between(size_t size)
{
	pool_free(&pool, pool_object(size) + 16);
}

static void pool_free_in_front(size_t size)
{
	pool_free(&pool, pool_object(size) - ALIGN_UP(size, 16));
}

static void pool_free_behind(size_t size)
{
	pool_object(size);
	pool_free(&pool, pool_memory + pool.capacity * pool.object_size);
}

static void pool_free_null(size_t size)
{
	pool_object(size);
	pool_free(&pool, NULL);
}

static void pool_write_after_free(size_t size)
{
	u8 *object = pool_object(size);

	pool_free(&pool, object);
	object[0] ^= 1;
	pool_free(&pool, pool_alloc(&pool).value);
}

SELFTEST(model_misuse_pool,
	 "a pool refuses what is not its own, lies between two, or is free already")
{
	static const struct misuse misuses[] = {
		{ pool_free_twice, STR("double free"), false, false, { 1, 16, 48, 200 } },
		{ pool_free_twice_later, STR("double free"), false, false, { 1, 16, 48, 200 } },
		{ pool_free_between, STR("no object"), false, false, { 17, 48, 200 } },
		{ pool_free_in_front, STR("no object"), false, false, { 1, 48, 200 } },
		{ pool_free_behind, STR("no object"), false, false, { 1, 48, 200 } },
		{ pool_free_null, STR("no object"), false, false, { 1, 48 } },
		{ pool_write_after_free, STR("use after free"), false, false, { 1, 16, 48, 200 } },
	};

	for (size_t i = 0; i < ARRAY_SIZE(misuses); i++)
		CHECK_EQ(t, is_found(&misuses[i]) ? i : UINT32_MAX, i);
}

#endif
