/*
 * Address spaces, seen by a program in user mode and by the kernel.
 */
#include "user_probe.h"

#include <arch/trap.h>
#include <mazu/config.h>
#include <mazu/page.h>
#include <mazu/selftest.h>
#include <mazu/time.h>

#define LIMIT 64

extern char _text_start[], _data_start[];

static u64 user_pages(void)
{
	struct page_statistics s;

	page_statistics(&s);
	return s.held[PAGE_USER];
}

/* Areas that a test maps, with nothing said of an error: an address of 0 fails every check. */
static uptr map(const struct probe *p, size_t size, u32 rights)
{
	return addrspace_map(p->space, 0, size, rights).value;
}

SELFTEST(addrspace_runs_a_program, "a program runs, returns a value, and finds no kernel register")
{
	struct probe p;

	REQUIRE(t, !probe_open(&p, LIMIT));
	CHECK(t, probe_returned(probe_run(&p, PROBE_RETURN, 42), 42));
	CHECK(t, probe_returned(probe_run(&p, PROBE_REGISTERS, 7), 0));
	CHECK_EQ(t, probe_run(&p, PROBE_CSR, 0).cause, TRAP_ILLEGAL);
	CHECK_EQ(t, probe_run(&p, PROBE_BREAK, 0).cause, TRAP_BREAKPOINT);
	probe_close(&p);
}

static volatile u32 ticks; /* of the timer, while a program runs */

static void tick(void *arg)
{
	(void)arg;
	ticks++;
}

SELFTEST(addrspace_is_interrupted, "a program that is interrupted again and again does not notice")
{
	struct probe p;

	REQUIRE(t, !probe_open(&p, LIMIT));
	ticks = 0;
	for (u32 round = 0; round < 20; round++) {
		timer_arm(time_now_ns() + 100 * 1000, tick, NULL);
		for (u32 i = 0; i < 1000 && ticks == round; i++)
			CHECK(t, probe_returned(probe_run(&p, PROBE_COUNT, 100000), 100000));
	}
	CHECK_EQ(t, ticks, 20);
	probe_close(&p);
}

SELFTEST(addrspace_demand_zero,
	 "pages of zeros appear when touched, and only those that are touched")
{
	struct probe p;

	REQUIRE(t, !probe_open(&p, LIMIT));

	uptr at = map(&p, 16 * PAGE_SIZE, VM_READ | VM_WRITE);
	u64 before = user_pages();

	CHECK(t, probe_returned(probe_run(&p, PROBE_LOAD, at + 5 * PAGE_SIZE - 1), 0));
	CHECK_EQ(t, user_pages(), before + 1);
	CHECK(t, probe_returned(probe_run(&p, PROBE_STORE, at), at));
	CHECK(t, probe_returned(probe_run(&p, PROBE_LOAD, at), 0x5a));
	CHECK_EQ(t, user_pages(), before + 2);
	probe_close(&p);
}

SELFTEST(addrspace_refuses_what_is_not_mapped,
	 "null, the kernel, devices and gaps fault, whoever asks how")
{
	struct probe p;

	REQUIRE(t, !probe_open(&p, LIMIT));

	uptr at = map(&p, PAGE_SIZE, VM_READ | VM_WRITE);
	const uptr bad[] = { 0,
			     8,
			     (uptr)_text_start,
			     (uptr)_data_start,
			     0x10000000,
			     at + PAGE_SIZE,
			     USER_START - 1,
			     USER_END,
			     1UL << 63,
			     UINT64_MAX };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		CHECK(t, probe_faulted(probe_run(&p, PROBE_LOAD, bad[i]), TRAP_LOAD_PAGE, bad[i]));
		CHECK(t,
		      probe_faulted(probe_run(&p, PROBE_STORE, bad[i]), TRAP_STORE_PAGE, bad[i]));
		CHECK(t, probe_faulted(probe_run(&p, PROBE_JUMP, bad[i] & ~1UL), TRAP_FETCH_PAGE,
				       bad[i] & ~1UL));
	}
	probe_close(&p);
}

SELFTEST(addrspace_keeps_rights, "each right is given alone, and changes when it is told to")
{
	struct probe p;

	REQUIRE(t, !probe_open(&p, LIMIT));

	uptr at = map(&p, PAGE_SIZE, VM_READ);

	CHECK(t, probe_returned(probe_run(&p, PROBE_LOAD, at), 0));
	CHECK(t, probe_faulted(probe_run(&p, PROBE_STORE, at), TRAP_STORE_PAGE, at));
	CHECK(t, probe_faulted(probe_run(&p, PROBE_JUMP, at), TRAP_FETCH_PAGE, at));
	CHECK_EQ(t, addrspace_protect(p.space, at, PAGE_SIZE, VM_READ | VM_WRITE), OK);
	CHECK(t, probe_returned(probe_run(&p, PROBE_STORE, at), at));
	CHECK_EQ(t, addrspace_protect(p.space, at, PAGE_SIZE, VM_READ), OK);
	CHECK(t, probe_faulted(probe_run(&p, PROBE_STORE, at), TRAP_STORE_PAGE, at));
	CHECK_EQ(t, addrspace_protect(p.space, at, PAGE_SIZE, VM_READ | VM_EXEC), OK);
	CHECK_EQ(t, probe_run(&p, PROBE_JUMP, at + 2).cause, TRAP_ILLEGAL);
	CHECK(t, probe_faulted(probe_run(&p, PROBE_STORE, p.code), TRAP_STORE_PAGE, p.code));
	CHECK_EQ(t, addrspace_unmap(p.space, at, PAGE_SIZE), OK);
	CHECK(t, probe_faulted(probe_run(&p, PROBE_LOAD, at), TRAP_LOAD_PAGE, at));
	probe_close(&p);
}

SELFTEST(addrspace_fetch_across_pages,
	 "an instruction whose second half is missing faults at that half")
{
	struct probe p;

	REQUIRE(t, !probe_open(&p, LIMIT));
	CHECK(t, probe_faulted(probe_run(&p, PROBE_FETCH_WORD, 0), TRAP_FETCH_PAGE,
			       p.code + PAGE_SIZE));
	probe_close(&p);
}

SELFTEST(addrspace_refuses_writable_code, "W^X: no area is writable and executable, nor becomes it")
{
	struct probe p;

	REQUIRE(t, !probe_open(&p, LIMIT));
	CHECK_EQ(t, addrspace_map(p.space, 0, PAGE_SIZE, VM_RIGHTS).err, ERR_ACCESS);
	CHECK_EQ(t, addrspace_map(p.space, 0, PAGE_SIZE, VM_WRITE | VM_EXEC).err, ERR_ACCESS);
	CHECK_EQ(t, addrspace_protect(p.space, p.code, PAGE_SIZE, VM_RIGHTS), ERR_ACCESS);
	probe_close(&p);
}

SELFTEST(addrspace_refuses_bad_ranges,
	 "misaligned, empty, outside, wrapping: refused, and nothing changed")
{
	struct probe p;

	REQUIRE(t, !probe_open(&p, LIMIT));

	uptr end = p.space->end;
	u32 areas = p.space->areas.count;
	const struct {
		uptr at;
		size_t size;
	} bad[] = {
		{ 0, 0 },
		{ 0, 1 },
		{ 0, SIZE_MAX },
		{ 0, SIZE_MAX & ~PAGE_MASK },
		{ p.code + 1, PAGE_SIZE },
		{ end, PAGE_SIZE },
		{ end - PAGE_SIZE, 2 * PAGE_SIZE },
		{ end - PAGE_SIZE, -(size_t)PAGE_SIZE },
		{ PAGE_SIZE, PAGE_SIZE },
		{ (uptr)_text_start & ~PAGE_MASK, PAGE_SIZE },
		{ p.space->start - PAGE_SIZE, 2 * PAGE_SIZE },
		{ -(uptr)PAGE_SIZE, PAGE_SIZE },
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		CHECK(t, addrspace_map(p.space, bad[i].at, bad[i].size, VM_READ).err != OK);
		CHECK(t,
		      addrspace_map_stack(p.space, bad[i].at ? SIZE_MAX : bad[i].size).err != OK);
		CHECK_EQ(t, addrspace_unmap(p.space, bad[i].at, bad[i].size), ERR_INVAL);
		CHECK_EQ(t, addrspace_protect(p.space, bad[i].at, bad[i].size, VM_READ), ERR_INVAL);
	}
	CHECK_EQ(t, addrspace_map(p.space, p.code, PAGE_SIZE, VM_READ).err, ERR_EXIST);
	CHECK_EQ(t, addrspace_map(p.space, 0, PAGE_SIZE, 0).err, ERR_INVAL);
	CHECK_EQ(t, addrspace_map(p.space, 0, PAGE_SIZE, VM_USER | VM_READ).err, ERR_INVAL);
	CHECK_EQ(t, addrspace_map(p.space, 0, PAGE_SIZE, VM_WRITE).err, ERR_INVAL);
	CHECK_EQ(t, p.space->areas.count, areas);
	probe_close(&p);
}

SELFTEST(addrspace_stack_has_a_guard, "a stack that grows without end stops at its guard page")
{
	struct probe p;

	REQUIRE(t, !probe_open(&p, LIMIT));

	uptr base = p.stack - PROBE_STACK_SIZE;
	struct probe_end end = probe_run(&p, PROBE_RECURSE, 0);

	CHECK_EQ(t, end.cause, TRAP_STORE_PAGE);
	CHECK(t, end.address < base && end.address >= base - PAGE_SIZE);
	CHECK_EQ(t, addrspace_map(p.space, base - PAGE_SIZE, PAGE_SIZE, VM_READ).err, ERR_EXIST);
	CHECK_EQ(t, addrspace_protect(p.space, base - PAGE_SIZE, PAGE_SIZE, VM_READ), ERR_FAULT);
	probe_close(&p);
}

SELFTEST(addrspace_limits_pages, "over its limit a program gets no page, and the kernel loses none")
{
	struct page_statistics before, after;
	struct probe p;

	page_cache_drain();
	page_statistics(&before);
	if (CHECK_EQ(t, probe_open(&p, 12), OK)) {
		uptr at = map(&p, 64 * PAGE_SIZE, VM_READ | VM_WRITE);
		u32 got = 0;

		while (got < 64 && probe_returned(probe_run(&p, PROBE_STORE, at + got * PAGE_SIZE),
						  at + got * PAGE_SIZE))
			got++;
		CHECK(t, got > 0 && got < 12);
		CHECK(t, p.space->quota.used == 12);
		CHECK_EQ(t, addrspace_unmap(p.space, at, 64 * PAGE_SIZE), OK);
		CHECK_EQ(t, p.space->quota.used, 12 - got);
		probe_close(&p);
	}
	page_statistics(&after);
	CHECK_EQ(t, after.held[PAGE_USER], before.held[PAGE_USER]);
	CHECK_EQ(t, after.held[PAGE_TABLE], before.held[PAGE_TABLE]);
}

SELFTEST(addrspace_shares_pages, "two programs see the same page, and it lives until both are gone")
{
	struct probe a, b;

	REQUIRE(t, !probe_open(&a, LIMIT));
	if (!CHECK_EQ(t, probe_open(&b, LIMIT), OK)) {
		addrspace_switch(NULL);
		addrspace_destroy(a.space);
		return;
	}

	u64 before = user_pages();
	uptr in_a = map(&a, 2 * PAGE_SIZE, VM_READ | VM_WRITE);
	struct result_u64 in_b = addrspace_share(a.space, in_a, 2 * PAGE_SIZE, b.space, 0, VM_READ);

	CHECK_EQ(t, in_b.err, OK);
	CHECK_EQ(t, user_pages(), before + 2);
	addrspace_switch(a.space);
	CHECK(t, probe_returned(probe_run(&a, PROBE_STORE, in_a + 9), in_a + 9));
	addrspace_switch(b.space);
	CHECK(t, probe_returned(probe_run(&b, PROBE_LOAD, in_b.value + 9), 0x5a));
	CHECK(t,
	      probe_faulted(probe_run(&b, PROBE_STORE, in_b.value), TRAP_STORE_PAGE, in_b.value));
	CHECK_EQ(t, addrspace_protect(b.space, in_b.value, PAGE_SIZE, VM_READ | VM_WRITE),
		 ERR_ACCESS);
	CHECK_EQ(t, addrspace_protect(a.space, in_a, PAGE_SIZE, VM_READ | VM_EXEC), ERR_ACCESS);
	CHECK_EQ(t, addrspace_share(a.space, in_a, PAGE_SIZE, b.space, 0, VM_READ | VM_EXEC).err,
		 ERR_ACCESS);
	CHECK_EQ(t, addrspace_share(a.space, a.code, PAGE_SIZE, b.space, 0, VM_READ | VM_WRITE).err,
		 ERR_FAULT);
	addrspace_destroy(a.space);
	CHECK(t, probe_returned(probe_run(&b, PROBE_LOAD, in_b.value + 9), 0x5a));
	probe_close(&b);
	CHECK(t, user_pages() <= before);
}

SELFTEST(addrspace_keeps_programs_apart, "what one program has at an address, another does not see")
{
	struct probe a, b;

	REQUIRE(t, !probe_open(&a, LIMIT));
	if (CHECK_EQ(t, probe_open(&b, LIMIT), OK)) {
		uptr in_a = map(&a, PAGE_SIZE, VM_READ | VM_WRITE);
		struct probe_end end;

		addrspace_switch(a.space);
		CHECK(t, probe_returned(probe_run(&a, PROBE_STORE, in_a), in_a));
		addrspace_switch(b.space);
		end = probe_run(&b, PROBE_LOAD, in_a);
		if (!IS_ENABLED(CONFIG_SPACE_SHARED))
			CHECK(t, !probe_returned(end, 0x5a));
		CHECK(t, vma_check(&b.space->areas, in_a, 1, VM_READ) == ERR_FAULT ||
				 probe_returned(end, 0));
		addrspace_switch(NULL);
		addrspace_destroy(b.space);
	}
	probe_close(&a);
}

SELFTEST(addrspace_bounded, "spaces are bounded in number, and all can be had again")
{
	static struct addrspace *spaces[CONFIG_SPACE_MAX + 1];
	struct result_addrspace made = result_addrspace_ok(NULL);

	for (u32 round = 0; round < 2; round++) {
		u32 count = 0;

		while (count <= CONFIG_SPACE_MAX && !(made = addrspace_create(LIMIT)).err)
			spaces[count++] = made.value;
		CHECK_EQ(t, count, CONFIG_SPACE_MAX);
		CHECK_EQ(t, made.err, ERR_NOSPC);
		while (count > 0)
			addrspace_destroy(spaces[--count]);
	}
	addrspace_destroy(NULL);
}

SELFTEST(addrspace_in_use_destroyed,
	 "a space that is destroyed while it is in use is not in use any more")
{
	struct probe p;

	REQUIRE(t, !probe_open(&p, LIMIT));
	addrspace_destroy(p.space);
	CHECK(t, addrspace_current() == NULL);
	CHECK(t, !arch_readable(p.code, 1));
}
