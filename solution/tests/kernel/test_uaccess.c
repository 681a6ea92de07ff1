/*
 * Copies between the kernel and a program: every byte arrives, and every hostile pointer is refused.
 */
#include "user_probe.h"

#include <arch/csr.h>
#include <mazu/mem.h>
#include <mazu/page.h>
#include <mazu/selftest.h>
#include <mazu/time.h>
#include <mazu/uaccess.h>

#define LIMIT 64
#define AREA (4 * PAGE_SIZE)

static u8 ours[AREA], back[AREA]; /* the tests run one after another */

static void fill(u8 *bytes, size_t size, u32 seed)
{
	for (size_t i = 0; i < size; i++)
		bytes[i] = (u8)(i * 7 + seed);
}

SELFTEST(uaccess_copies_exactly, "any size at any alignment arrives, and not a byte beyond")
{
	static const u16 sizes[] = { 1, 2, 7, 8, 9, 63, 64, 65, 127, 128, 200, 4095, 4096, 4097 };
	struct probe p;

	REQUIRE(t, !probe_open(&p, LIMIT));

	uptr at = addrspace_map(p.space, 0, AREA, VM_READ | VM_WRITE).value;
	u32 wrong = 0;

	fill(ours, sizeof(ours), 1);
	for (u32 i = 0; i < ARRAY_SIZE(sizes) * 16; i++) {
		size_t size = sizes[i / 16], from = i % 4, to = PAGE_SIZE - 16 + i % 16;

		memset(back, 0xee, sizeof(back));
		wrong += copy_to_user(at + to, ours + from, size) != OK;
		wrong += copy_from_user(back + 8 + from, at + to, size) != OK;
		wrong += memcmp(back + 8 + from, ours + from, size) != 0;
		wrong += back[7 + from] != 0xee || back[8 + from + size] != 0xee;
	}
	CHECK_EQ(t, wrong, 0);
	probe_close(&p);
}

static void refused(struct selftest *t, uptr at, size_t size)
{
	memset(back, 0xee, sizeof(back));
	CHECK_EQ(t, copy_from_user(back, at, size), ERR_FAULT);
	CHECK_EQ(t, copy_to_user(at, ours, size), ERR_FAULT);
	CHECK_EQ(t, back[0], 0xee);
}

SELFTEST(uaccess_refuses_hostile_pointers,
	 "kernel, null, gap, tail, wrap: ERR_FAULT, and nothing is copied")
{
	struct probe p;

	REQUIRE(t, !probe_open(&p, LIMIT));

	uptr at = addrspace_map(p.space, 0, AREA, VM_READ | VM_WRITE).value;

	refused(t, 0, 1);
	refused(t, (uptr)ours, 8);
	refused(t, at + AREA - 1, 2);
	refused(t, at, AREA + 1);
	refused(t, at + AREA, 1);
	refused(t, p.space->start - 8, 16);
	refused(t, p.space->end - 8, 16);
	refused(t, at, SIZE_MAX);
	refused(t, at, -at);
	refused(t, at, (size_t)ours - at);
	refused(t, UINT64_MAX, 1);
	refused(t, UINT64_MAX - 3, 8);
	refused(t, 1UL << 63, 8);
	refused(t, p.stack - PROBE_STACK_SIZE - 1, 1);
	CHECK_EQ(t, copy_from_user(back, 0, 0), OK);
	CHECK_EQ(t, copy_to_user((uptr)ours, ours, 0), OK);
	CHECK_EQ(t, copy_to_user(p.code, ours, 1), ERR_FAULT);
	CHECK_EQ(t, copy_from_user(back, p.code, 1), OK);
	probe_close(&p);
}

SELFTEST(uaccess_needs_a_program, "without a program every address is refused")
{
	CHECK_EQ(t, copy_from_user(back, USER_START, 1), ERR_FAULT);
	CHECK_EQ(t, copy_to_user(USER_START, ours, 1), ERR_FAULT);
	CHECK_EQ(t, copy_text_from_user(BYTE_ARRAY(back), USER_START).err, ERR_FAULT);
}

SELFTEST(uaccess_survives_missing_pages, "a page that cannot be had ends a copy as ERR_FAULT")
{
	struct probe p;

	REQUIRE(t, !probe_open(&p, 10));

	uptr at = addrspace_map(p.space, 0, 16 * PAGE_SIZE, VM_READ | VM_WRITE).value;
	enum error err = OK;

	for (u32 i = 0; i < 16 && !err; i++)
		err = copy_to_user(at + i * PAGE_SIZE, ours, 8);
	CHECK_EQ(t, err, ERR_FAULT);
	CHECK_EQ(t, p.space->quota.used, 10);
	CHECK_EQ(t, copy_to_user(at, ours, 8), OK);
	probe_close(&p);
}

static volatile u32 ticks; /* of the timer, during copies, */
static u64 seen;	   /* and the right to touch user pages that any of them had */

static void tick(void *arg)
{
	(void)arg;
	seen |= csr_read(sstatus) & SSTATUS_SUM;
	ticks++;
}

SELFTEST(uaccess_right_is_not_inherited,
	 "an interrupt in the midst of a copy may not touch user pages")
{
	struct probe p;

	REQUIRE(t, !probe_open(&p, LIMIT));

	uptr at = addrspace_map(p.space, 0, AREA, VM_READ | VM_WRITE).value;
	u32 failed = 0;

	ticks = 0;
	seen = 0;
	for (u32 round = 0; round < 20; round++) {
		timer_arm(time_now_ns() + 100 * 1000, tick, NULL);
		for (u32 i = 0; i < 100000 && ticks == round; i++)
			failed += copy_to_user(at, ours, AREA) != OK;
	}
	CHECK_EQ(t, ticks, 20);
	CHECK_EQ(t, seen, 0);
	CHECK_EQ(t, failed, 0);
	CHECK_EQ(t, csr_read(sstatus) & SSTATUS_SUM, 0);
	probe_close(&p);
}

SELFTEST(uaccess_text,
	 "text is copied up to its end, across pages, and no further than there is room")
{
	struct probe p;

	REQUIRE(t, !probe_open(&p, LIMIT));

	uptr at = addrspace_map(p.space, 0, 2 * PAGE_SIZE, VM_READ | VM_WRITE).value;
	struct byte_array room = { back, 16 };

	CHECK_EQ(t, copy_to_user(at + PAGE_SIZE - 3, "hello\0", 7), OK);
	CHECK_EQ(t, copy_text_from_user(room, at + PAGE_SIZE - 3).value, 5);
	CHECK_STR_EQ(t, ((struct str){ (char *)back, 5 }), STR("hello"));
	room.len = 6;
	CHECK_EQ(t, copy_text_from_user(room, at + PAGE_SIZE - 3).value, 5);
	room.len = 5;
	CHECK_EQ(t, copy_text_from_user(room, at + PAGE_SIZE - 3).err, ERR_RANGE);
	room.len = 16;
	CHECK_EQ(t, copy_to_user(at + 2 * PAGE_SIZE - 3, "end", 3), OK);
	CHECK_EQ(t, copy_text_from_user(room, at + 2 * PAGE_SIZE - 3).err, ERR_FAULT);
	CHECK_EQ(t, copy_text_from_user(room, (uptr)ours).err, ERR_FAULT);
	CHECK_EQ(t, copy_text_from_user(room, UINT64_MAX).err, ERR_FAULT);
	probe_close(&p);
}
