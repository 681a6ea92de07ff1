/*
 * Sets of areas: finding areas and gaps, and what a program may access; then all of it at random.
 */
#include "../host/random.h"
#include "vma_picture.h"

#include <mazu/mem.h>

/* ---- Looking ---- */

struct gap {
	struct str before;
	u32 low, high, pages;
	u32 found; /* `none` */
};

SELFTEST(vma_finds_gaps, "the lowest gap that is large enough and between the bounds, or ERR_NOMEM")
{
	enum { none = 999 };
	static const struct gap gaps[] = {
		{ STR(""), 0, 10, 10, 0 },
		{ STR(""), 0, 10, 11, none },
		{ STR(""), 3, 10, 1, 3 },
		{ STR("rr"), 0, 10, 1, 2 },
		{ STR("..rr"), 0, 10, 2, 0 },
		{ STR("..rr"), 0, 10, 3, 4 },
		{ STR("..rr"), 1, 10, 2, 4 },
		{ STR("rr.ww..xx"), 0, 20, 1, 2 },
		{ STR("rr.ww..xx"), 0, 20, 2, 5 },
		{ STR("rr.ww..xx"), 0, 20, 3, 9 },
		{ STR("rr.ww..xx"), 0, 9, 3, none },
		{ STR("rr.ww..xx"), 0, 6, 2, none },
		{ STR("rr.ww..xx"), 0, 7, 2, 5 },
		{ STR("rr.ww..xx"), 3, 20, 1, 5 },
		{ STR("rr.ww..xx"), 6, 20, 2, 9 },
		{ STR("rr.ww..xx"), 8, 20, 11, 9 },
		{ STR("rr.ww..xx"), 8, 20, 12, none },
		{ STR("rr.g"), 0, 4, 1, 2 },
		{ STR("rr.g"), 3, 4, 1, none },
		{ STR("rrrr"), 1, 3, 1, none },
		{ STR("rrrr"), 4, 4, 1, none },
		{ STR("...rr"), 0, 3, 3, 0 },
		{ STR("...rr"), 0, 2, 3, none },
	};

	for (size_t i = 0; i < ARRAY_SIZE(gaps); i++) {
		const struct gap *gap = &gaps[i];
		struct result_u64 found;

		CHECK_EQ(t, picture_draw(gap->before), OK);
		found = vma_find_gap(&picture_set, MODEL_AT(gap->low), MODEL_AT(gap->high),
				     gap->pages * PAGE_SIZE);
		CHECK_EQ(t, found.err, gap->found == none ? ERR_NOMEM : OK);
		CHECK_EQ(t, found.value, gap->found == none ? 0 : MODEL_AT(gap->found));
	}
	CHECK_EQ(t, vma_find_gap(&picture_set, MODEL_AT(0), MODEL_AT(9), SIZE_MAX & ~PAGE_MASK).err,
		 ERR_NOMEM);
}

SELFTEST(vma_finds_areas, "an address finds the area that it lies in, first and last byte included")
{
	CHECK_EQ(t, picture_draw(STR(".rr.wwg")), OK);

	const struct {
		uptr address;
		const struct vma *area;
	} finds[] = {
		{ 0, NULL },
		{ MODEL_AT(1) - 1, NULL },
		{ MODEL_AT(1), &picture_set.at[0] },
		{ MODEL_AT(3) - 1, &picture_set.at[0] },
		{ MODEL_AT(3), NULL },
		{ MODEL_AT(4) - 1, NULL },
		{ MODEL_AT(4), &picture_set.at[1] },
		{ MODEL_AT(6) - 1, &picture_set.at[1] },
		{ MODEL_AT(6), &picture_set.at[2] },
		{ MODEL_AT(7) - 1, &picture_set.at[2] },
		{ MODEL_AT(7), NULL },
		{ UINT64_MAX, NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(finds); i++)
		CHECK(t, vma_find(&picture_set, finds[i].address) == finds[i].area);
	memset(&picture_set, 0, sizeof(picture_set));
	CHECK(t, !vma_find(&picture_set, MODEL_AT(1)));
}

/* ---- vma_check ---- */

struct access {
	long from; /* bytes from the first page's start */
	size_t size;
	u32 access;
	bool allowed;
};

SELFTEST(vma_checks_bytes, "the first and the last byte count, and no byte beyond")
{
	enum { page = PAGE_SIZE };
	static const struct access accesses[] = {
		{ page, 1, VM_READ, true },
		{ page, 2 * page, VM_READ, true },
		{ page - 1, 1, VM_READ, false },
		{ page - 1, 2, VM_READ, false },
		{ page, 2 * page + 1, VM_READ, false },
		{ 3 * page - 1, 1, VM_READ, true },
		{ 3 * page - 1, 2, VM_READ, false },
		{ 3 * page, 1, VM_READ, false },
		{ 4 * page, 3 * page, VM_READ, true }, /* across w and x */
		{ 4 * page, 3 * page + 1, VM_READ, false },
		{ 2 * page, 3 * page, VM_READ, false }, /* across the hole */
		{ 5 * page - 1, 1, VM_WRITE, true },
		{ 5 * page - 1, 2, VM_WRITE, false }, /* x is not writable */
		{ 5 * page - 1, 2, VM_READ, true },
		{ 6 * page, page, VM_READ | VM_EXEC, true },
		{ 5 * page, 2 * page, VM_READ | VM_EXEC, true },
		{ 4 * page, 2 * page, VM_READ | VM_EXEC, false },
		{ 4 * page, 16, VM_READ | VM_WRITE, true },
		{ 6 * page, 16, VM_READ | VM_WRITE, false },
		{ 7 * page, 1, VM_READ, false }, /* the guard */
		{ 7 * page, 1, VM_EXEC, false },
		{ 7 * page - 1, 2, VM_READ, false },
		{ 8 * page, page, VM_READ, true },	/* behind the guard; shared */
		{ 6 * page, 3 * page, VM_READ, false }, /* around the guard */
		{ 8 * page, page + 1, VM_READ, true },	/* r is next */
	};

	CHECK_EQ(t, picture_draw(STR(".rr.wxxgsr")), OK);
	for (size_t i = 0; i < ARRAY_SIZE(accesses); i++) {
		const struct access *a = &accesses[i];

		CHECK_EQ(t,
			 vma_check(&picture_set, MODEL_BASE + (uptr)a->from, a->size, a->access) ==
					 OK
				 ? i
				 : UINT32_MAX,
			 a->allowed ? i : UINT32_MAX);
	}
}

/* The last page but one of all addresses. */
#define TOP (UINT64_MAX - 2 * PAGE_SIZE + 1)

SELFTEST(vma_checks_wraps, "a range that wraps around is refused, wherever it begins and ends")
{
	static const size_t sizes[] = { SIZE_MAX, SIZE_MAX - 1, SIZE_MAX - PAGE_SIZE, 1UL << 63 };

	CHECK_EQ(t, picture_draw(STR("rr")), OK);
	CHECK_EQ(t, vma_insert(&picture_set, (struct vma){ TOP, TOP + PAGE_SIZE, 1, VMA_ZERO }),
		 OK);
	CHECK_EQ(t, vma_insert(&picture_set, (struct vma){ 0, PAGE_SIZE, 1, VMA_ZERO }), OK);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		CHECK_EQ(t, vma_check(&picture_set, MODEL_BASE, sizes[i], VM_READ), ERR_FAULT);
		CHECK_EQ(t, vma_check(&picture_set, MODEL_BASE + 1, sizes[i], VM_READ), ERR_FAULT);
		CHECK_EQ(t, vma_check(&picture_set, TOP, sizes[i], VM_READ), ERR_FAULT);
		CHECK_EQ(t, vma_check(&picture_set, 0, sizes[i], VM_READ), ERR_FAULT);
	}
	CHECK_EQ(t, vma_check(&picture_set, MODEL_BASE, -MODEL_BASE + 1, VM_READ), ERR_FAULT);
	CHECK_EQ(t, vma_check(&picture_set, MODEL_BASE, -MODEL_BASE, VM_READ), ERR_FAULT);
	CHECK_EQ(t, vma_check(&picture_set, TOP, PAGE_SIZE, VM_READ), OK);
	CHECK_EQ(t, vma_check(&picture_set, TOP, PAGE_SIZE + 1, VM_READ), ERR_FAULT);
	CHECK_EQ(t, vma_check(&picture_set, TOP, 2 * PAGE_SIZE + 1, VM_READ), ERR_FAULT);
	CHECK_EQ(t, vma_check(&picture_set, -1UL, 2, VM_READ), ERR_FAULT);
}

SELFTEST(vma_checks_nothing, "no byte at all is always allowed, in any way and anywhere")
{
	CHECK_EQ(t, picture_draw(STR("rrg")), OK);
	for (u32 access = 1; access <= VM_RIGHTS; access++) {
		CHECK_EQ(t, vma_check(&picture_set, 0, 0, access), OK);
		CHECK_EQ(t, vma_check(&picture_set, MODEL_AT(2), 0, access), OK);
		CHECK_EQ(t, vma_check(&picture_set, MODEL_AT(9), 0, access), OK);
		CHECK_EQ(t, vma_check(&picture_set, UINT64_MAX, 0, access), OK);
	}
}

SELFTEST(vma_checks_the_last_area,
	 "a range may go on through every area of a full set, and not beyond")
{
	uptr size = 2 * CONFIG_VMA_MAX * PAGE_SIZE;

	picture_draw_full(t);
	CHECK_EQ(t, vma_check(&picture_set, MODEL_BASE, size, VM_READ), OK);
	CHECK_EQ(t, vma_check(&picture_set, MODEL_BASE, size + 1, VM_READ), ERR_FAULT);
	CHECK_EQ(t, vma_check(&picture_set, MODEL_BASE, size, VM_WRITE), ERR_FAULT);
	CHECK_EQ(t, vma_check(&picture_set, MODEL_BASE + size - 1, 1, VM_READ), OK);
}

/* ---- All of it ---- */

SELFTEST(vma_random, "3000 random calls: every answer and every area is the naive model's")
{
	static struct vma_pair pair;
	u64 seed = 44;

	vma_pair_init(&pair);
	for (u32 i = 0; i < 3000; i++)
		REQUIRE(t, vma_pair_step(&pair, random_u64(&seed)));
}
