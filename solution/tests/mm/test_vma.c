/*
 * Sets of areas: what inserting, removing and changing rights do to a set, in pictures (vma_picture.h).
 */
#include "vma_picture.h"

#include <mazu/mem.h>

/* ---- Rights ---- */

SELFTEST(vma_rights, "of all rights five are acceptable: W^X, no writing without reading")
{
	for (u32 rights = 0; rights < 64; rights++)
		CHECK_EQ(t, vm_rights_valid(rights),
			 rights == 0 || rights == 1 || rights == 3 || rights == 4 || rights == 5);
	CHECK(t, !vm_rights_valid(VM_USER | VM_READ) && !vm_rights_valid(1U << 31 | VM_READ));
}

/* ---- Insert ---- */

SELFTEST(vma_insert_sorts, "areas are in order whatever the order in which they come")
{
	static const u8 orders[][4] = { { 0, 1, 2, 3 }, { 3, 2, 1, 0 }, { 1, 3, 0, 2 },
					{ 2, 0, 3, 1 }, { 0, 3, 1, 2 }, { 3, 0, 2, 1 } };

	for (size_t i = 0; i < ARRAY_SIZE(orders); i++) {
		memset(&picture_set, 0, sizeof(picture_set));
		for (u32 k = 0; k < 4; k++) {
			u32 at = orders[i][k];

			CHECK_EQ(t,
				 vma_insert(&picture_set,
					    picture_area(3 * at, 3 * at + 2, "rwxg"[at])),
				 OK);
		}
		CHECK_STR_EQ(t, picture(), STR("rr.ww.xx.gg"));
	}
}

struct insertion {
	struct str before;
	u32 first, end;
	char letter;
	struct str after; /* as before: refused, ERR_EXIST */
	u32 areas;
};

SELFTEST(vma_insert_joins,
	 "neighbours that touch and are alike become one area; guards and shared do not")
{
	static const struct insertion insertions[] = {
		{ STR("rr"), 2, 4, 'r', STR("rrrr"), 1 },
		{ STR("..rr"), 0, 2, 'r', STR("rrrr"), 1 },
		{ STR("rr..rr"), 2, 4, 'r', STR("rrrrrr"), 1 },
		{ STR("ww..rr"), 2, 4, 'r', STR("wwrrrr"), 2 },
		{ STR("rr..ww"), 2, 4, 'r', STR("rrrrww"), 2 },
		{ STR("rr..rr"), 2, 4, 'w', STR("rrwwrr"), 3 },
		{ STR("rr...rr"), 3, 4, 'r', STR("rr.r.rr"), 3 },
		{ STR("rr..rr"), 2, 4, 's', STR("rrssrr"), 3 },
		{ STR("ss..ss"), 2, 4, 's', STR("ss|ss|ss"), 3 },
		{ STR("SS..ww"), 2, 4, 'w', STR("SSwwww"), 2 },
		{ STR("g.g"), 1, 2, 'g', STR("g|g|g"), 3 },
		{ STR("wr..rx"), 2, 4, 'r', STR("wrrrrx"), 3 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(insertions); i++) {
		const struct insertion *in = &insertions[i];

		CHECK_EQ(t, picture_draw(in->before), OK);
		CHECK_EQ(t, vma_insert(&picture_set, picture_area(in->first, in->end, in->letter)),
			 OK);
		CHECK_STR_EQ(t, picture(), in->after);
		CHECK_EQ(t, picture_set.count, in->areas);
	}
}

SELFTEST(vma_insert_refuses_overlaps, "what is there already stays as it was, guards included")
{
	static const char taken[] = "rsg";

	for (u32 i = 0; i < 3; i++)
		for (u32 first = 0; first < 6; first++)
			for (u32 end = first + 1; end < 8; end++) {
				bool free = end <= 2 || first >= 5;

				memset(&picture_set, 0, sizeof(picture_set));
				CHECK_EQ(t, vma_insert(&picture_set, picture_area(2, 5, taken[i])),
					 OK);
				CHECK_EQ(t, vma_insert(&picture_set, picture_area(first, end, 'x')),
					 free ? OK : ERR_EXIST);
				CHECK_EQ(t, picture_set.count, free ? 2 : 1);
			}
}

SELFTEST(vma_insert_refuses_nonsense,
	 "empty, reversed, off a page, bad rights, no such kind: ERR_INVAL")
{
	const struct vma bad[] = {
		{ MODEL_AT(1), MODEL_AT(1), VM_READ, VMA_ZERO },
		{ MODEL_AT(2), MODEL_AT(1), VM_READ, VMA_ZERO },
		{ MODEL_AT(1), 0, VM_READ, VMA_ZERO },
		{ MODEL_AT(1) + 1, MODEL_AT(2), VM_READ, VMA_ZERO },
		{ MODEL_AT(1), MODEL_AT(2) - 8, VM_READ, VMA_ZERO },
		{ MODEL_AT(1), MODEL_AT(2), VM_WRITE, VMA_ZERO },
		{ MODEL_AT(1), MODEL_AT(2), VM_RIGHTS, VMA_ZERO },
		{ MODEL_AT(1), MODEL_AT(2), VM_WRITE | VM_EXEC, VMA_SHARED },
		{ MODEL_AT(1), MODEL_AT(2), VM_USER | VM_READ, VMA_ZERO },
		{ MODEL_AT(1), MODEL_AT(2), 0, VMA_ZERO },
		{ MODEL_AT(1), MODEL_AT(2), 0, VMA_SHARED },
		{ MODEL_AT(1), MODEL_AT(2), VM_READ, VMA_GUARD },
		{ MODEL_AT(1), MODEL_AT(2), VM_READ, VMA_GUARD + 1 },
		{ MODEL_AT(1), MODEL_AT(2), 0, 255 },
	};

	CHECK_EQ(t, picture_draw(STR("r..w")), OK);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		CHECK_EQ(t, vma_insert(&picture_set, bad[i]), ERR_INVAL);
	CHECK_STR_EQ(t, picture(), STR("r..w"));
}

SELFTEST(vma_insert_full, "a full set takes nothing but what joins a neighbour")
{
	u32 end = 2 * CONFIG_VMA_MAX;
	struct vma_set before;

	picture_draw_full(t);
	before = picture_set;
	CHECK_EQ(t, vma_insert(&picture_set, picture_area(end, end + 1, 'x')), ERR_NOSPC);
	CHECK_EQ(t,
		 vma_insert(&picture_set,
			    picture_area(end + 1, end + 2, "rw"[(CONFIG_VMA_MAX - 1) % 2])),
		 ERR_NOSPC);
	CHECK_EQ(t, vma_insert(&picture_set, picture_area(end - 1, end + 1, 'x')), ERR_EXIST);
	CHECK(t, picture_is_still(&before));
	CHECK_EQ(t,
		 vma_insert(&picture_set,
			    picture_area(end, end + 1, "rw"[(CONFIG_VMA_MAX - 1) % 2])),
		 OK);
	CHECK_EQ(t, picture_set.count, CONFIG_VMA_MAX);
	CHECK_EQ(t, picture_set.at[picture_set.count - 1].end, MODEL_AT(end + 1));
}

/* ---- Remove ---- */

struct removal {
	struct str before;
	u32 first, end;
	struct str after;
	u32 areas;
};

SELFTEST(vma_remove_cuts, "exactly the range goes, whatever lies in it or across its ends")
{
	static const struct removal removals[] = {
		{ STR("rrrr"), 0, 4, STR(""), 0 },
		{ STR("rrrr"), 0, 2, STR("..rr"), 1 },
		{ STR("rrrr"), 2, 4, STR("rr"), 1 },
		{ STR("rrrr"), 1, 3, STR("r..r"), 2 },
		{ STR(".rr."), 0, 4, STR(""), 0 },
		{ STR("rrww"), 1, 3, STR("r..w"), 2 },
		{ STR("rrwwxx"), 1, 5, STR("r....x"), 2 },
		{ STR("rrwwxx"), 2, 4, STR("rr..xx"), 2 },
		{ STR("rr..xx"), 2, 4, STR("rr..xx"), 2 },
		{ STR("rr..xx"), 1, 3, STR("r...xx"), 2 },
		{ STR("rr..xx"), 3, 5, STR("rr...x"), 2 },
		{ STR("ggg"), 1, 2, STR("g.g"), 2 },
		{ STR("sss"), 1, 2, STR("s.s"), 2 },
		{ STR(".r"), 4, 9, STR(".r"), 1 },
		{ STR("...r"), 0, 3, STR("...r"), 1 },
		{ STR(""), 0, 9, STR(""), 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(removals); i++) {
		CHECK_EQ(t, picture_draw(removals[i].before), OK);
		CHECK_EQ(t,
			 vma_remove(&picture_set, MODEL_AT(removals[i].first),
				    MODEL_AT(removals[i].end)),
			 OK);
		CHECK_STR_EQ(t, picture(), removals[i].after);
		CHECK_EQ(t, picture_set.count, removals[i].areas);
	}
}

SELFTEST(vma_remove_full, "in a full set only a hole in the middle of an area has no room")
{
	struct vma_set before;

	picture_draw_full(t);
	CHECK_EQ(t, vma_remove(&picture_set, MODEL_AT(0), MODEL_AT(1)), OK);
	CHECK_EQ(t, vma_remove(&picture_set, MODEL_AT(3), MODEL_AT(4)), OK);
	CHECK_EQ(t, vma_remove(&picture_set, MODEL_AT(5), MODEL_AT(7)), OK);
	CHECK_STR_EQ(t, picture_start(10), STR(".rw.r..wrr"));
	CHECK_EQ(t, picture_set.count, CONFIG_VMA_MAX);
	picture_set.at[0].start = MODEL_AT(0) - 2 * PAGE_SIZE; /* four pages: can have a hole */
	before = picture_set;
	CHECK_EQ(t, vma_remove(&picture_set, MODEL_AT(0) - PAGE_SIZE, MODEL_AT(1)), ERR_NOSPC);
	CHECK(t, picture_is_still(&before));
	CHECK_EQ(t, vma_remove(&picture_set, MODEL_AT(2), MODEL_AT(4)), OK);
	CHECK_EQ(t, vma_remove(&picture_set, MODEL_AT(0) - PAGE_SIZE, MODEL_AT(1)), OK);
	CHECK_EQ(t, picture_set.count, CONFIG_VMA_MAX);
}

SELFTEST(vma_remove_refuses_nonsense, "empty, reversed, off a page: ERR_INVAL, and nothing changed")
{
	CHECK_EQ(t, picture_draw(STR("rrrr")), OK);
	CHECK_EQ(t, vma_remove(&picture_set, MODEL_AT(1), MODEL_AT(1)), ERR_INVAL);
	CHECK_EQ(t, vma_remove(&picture_set, MODEL_AT(2), MODEL_AT(1)), ERR_INVAL);
	CHECK_EQ(t, vma_remove(&picture_set, MODEL_AT(1), 0), ERR_INVAL);
	CHECK_EQ(t, vma_remove(&picture_set, MODEL_AT(1) + 1, MODEL_AT(3)), ERR_INVAL);
	CHECK_EQ(t, vma_remove(&picture_set, MODEL_AT(1), MODEL_AT(3) + 4095), ERR_INVAL);
	CHECK_STR_EQ(t, picture(), STR("rrrr"));
}

/* ---- Protect ---- */

struct protection {
	struct str before;
	u32 first, end;
	u32 rights;
	enum error err;
	struct str after;
	u32 areas;
};

SELFTEST(vma_protect_cuts_and_joins,
	 "exactly the range changes; pieces that become alike are one area again")
{
	static const struct protection protections[] = {
		{ STR("wwww"), 0, 4, 1, OK, STR("rrrr"), 1 },
		{ STR("wwww"), 0, 2, 1, OK, STR("rrww"), 2 },
		{ STR("wwww"), 2, 4, 1, OK, STR("wwrr"), 2 },
		{ STR("wwww"), 1, 3, 1, OK, STR("wrrw"), 3 },
		{ STR("wrrw"), 1, 3, 3, OK, STR("wwww"), 1 },
		{ STR("wwrr"), 0, 2, 1, OK, STR("rrrr"), 1 },
		{ STR("wwrr"), 2, 4, 3, OK, STR("wwww"), 1 },
		{ STR("wwrr"), 2, 3, 3, OK, STR("wwwr"), 2 },
		{ STR("wwrr"), 1, 2, 1, OK, STR("wrrr"), 2 },
		{ STR("rwxr"), 0, 4, 1, OK, STR("rrrr"), 1 },
		{ STR("rrwwxx"), 1, 5, 4, OK, STR("reeeex"), 3 },
		{ STR("rr.ww"), 3, 5, 1, OK, STR("rr.rr"), 2 },
		{ STR("rrrr"), 1, 3, 1, OK, STR("rrrr"), 1 },
		{ STR("SSSS"), 1, 3, 1, OK, STR("SssS"), 3 },
		{ STR("rrSS"), 2, 4, 1, OK, STR("rrss"), 2 },
		{ STR("rr.ww"), 1, 4, 1, ERR_FAULT, STR("rr.ww"), 2 },
		{ STR("rr.ww"), 2, 4, 1, ERR_FAULT, STR("rr.ww"), 2 },
		{ STR("rr.ww"), 3, 6, 1, ERR_FAULT, STR("rr.ww"), 2 },
		{ STR("rrgww"), 0, 5, 1, ERR_FAULT, STR("rrgww"), 3 },
		{ STR("rrg"), 2, 3, 1, ERR_FAULT, STR("rrg"), 2 },
		{ STR(""), 0, 1, 1, ERR_FAULT, STR(""), 0 },
		{ STR("rrr"), 1, 1, 3, ERR_INVAL, STR("rrr"), 1 },
		{ STR("rrr"), 2, 1, 3, ERR_INVAL, STR("rrr"), 1 },
		{ STR("rrr"), 0, 3, 0, ERR_INVAL, STR("rrr"), 1 },
		{ STR("rrr"), 0, 3, 2, ERR_INVAL, STR("rrr"), 1 },
		{ STR("rrr"), 0, 3, 7, ERR_INVAL, STR("rrr"), 1 },
		{ STR("rrr"), 0, 3, 9, ERR_INVAL, STR("rrr"), 1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(protections); i++) {
		const struct protection *p = &protections[i];

		CHECK_EQ(t, picture_draw(p->before), OK);
		CHECK_EQ(t,
			 vma_protect(&picture_set, MODEL_AT(p->first), MODEL_AT(p->end), p->rights),
			 p->err);
		CHECK_STR_EQ(t, picture(), p->after);
		CHECK_EQ(t, picture_set.count, p->areas);
	}
	CHECK_EQ(t, picture_draw(STR("rrr")), OK);
	CHECK_EQ(t, vma_protect(&picture_set, MODEL_AT(0) + 1, MODEL_AT(2), 3), ERR_INVAL);
	CHECK_EQ(t, vma_protect(&picture_set, MODEL_AT(0), MODEL_AT(2) - 1, 3), ERR_INVAL);
}

SELFTEST(vma_protect_full, "without room for the pieces nothing changes; whole areas need none")
{
	struct vma_set before;

	picture_draw_full(t);
	before = picture_set;
	CHECK_EQ(t, vma_protect(&picture_set, MODEL_AT(1), MODEL_AT(2), VM_EXEC), ERR_NOSPC);
	CHECK_EQ(t, vma_protect(&picture_set, MODEL_AT(1), MODEL_AT(5), VM_EXEC), ERR_NOSPC);
	CHECK(t, picture_is_still(&before));
	CHECK_EQ(t, vma_protect(&picture_set, MODEL_AT(2), MODEL_AT(4), VM_READ),
		 OK); /* three become one */
	CHECK_EQ(t, picture_set.count, CONFIG_VMA_MAX - 2);
	CHECK_EQ(t, vma_protect(&picture_set, MODEL_AT(1), MODEL_AT(5), VM_EXEC), OK);
	CHECK_EQ(t, picture_set.count, CONFIG_VMA_MAX);
	CHECK_STR_EQ(t, picture_start(8), STR("reeeerww"));
	before = picture_set;
	CHECK_EQ(t, vma_protect(&picture_set, MODEL_AT(2), MODEL_AT(4), VM_READ), ERR_NOSPC);
	CHECK(t, picture_is_still(&before));
}
