/*
 * Stage 2's figures for page tables, faults and copies; those of the allocators are beside them.
 */
#include <arch/cpu.h>
#include <arch/trap.h>
#include <mazu/addrspace.h>
#include <mazu/bench.h>
#include <mazu/page.h>
#include <mazu/panic.h>
#include <mazu/uaccess.h>

#define PAGES (BENCH_ROUNDS + 8)

static struct addrspace *space;
static uptr area; /* zero pages that nobody has touched */
static u64 touched;
static u8 buffer[4096] __attribute__((aligned(8)));

static void must(enum error err)
{
	if (err)
		panic("bench: %.*s", STR_ARG(error_name(err)));
}

static void space_begin(void)
{
	struct result_addrspace made = addrspace_create(2 * PAGES);
	struct result_u64 at;

	must(made.err);
	space = made.value;
	at = addrspace_map(space, 0, PAGES * PAGE_SIZE, VM_READ | VM_WRITE);
	must(at.err);
	area = at.value;
	for (u32 i = 0; i < 3; i++) /* a program has code, constants, data, heap, stacks */
		must(addrspace_map_stack(space, PAGE_SIZE).err);
	touched = 0;
	addrspace_switch(space);
	for (u64 i = 0; i < PAGES;
	     i += 512) /* tables are present, as between two faults of a program */
		must(copy_to_user(area + i * PAGE_SIZE, buffer, 1));
	must(copy_to_user(area + (PAGES - 2) * PAGE_SIZE, buffer, 8));
	must(copy_to_user(area + (PAGES - 1) * PAGE_SIZE, buffer, 8));
}

static void space_end(void)
{
	addrspace_switch(NULL);
	addrspace_destroy(space);
}

/* ---- map_unmap_4k: a page into a tree whose tables are there, and out again ---- */

BENCHMARK(map_unmap_4k, space_begin, space_end)
{
	uptr at = area + 5 * PAGE_SIZE;

	if (pt_map(&space->pt, at, virt_to_phys(buffer) & ~PAGE_MASK, 0, VM_READ | VM_USER))
		return 0;
	return pt_unmap(&space->pt, at).err;
}

/* ---- demand_zero_fault: a load from a page that was never touched, by the kernel's copy's right ---- */

BENCHMARK(demand_zero_fault, space_begin, space_end)
{
	uptr at;

	do
		at = area + ++touched * PAGE_SIZE;
	while (touched % 512 == 0);
	csr_set(sstatus, SSTATUS_SUM);

	u64 before = arch_cycles();

	*(volatile u8 *)at;

	u64 after = arch_cycles();

	csr_clear(sstatus, SSTATUS_SUM);
	return after - before - 2;
}

/* ---- copies from a page that is there ---- */

BENCHMARK(copy_from_user_64, space_begin, space_end)
{
	return copy_from_user(buffer, area + (PAGES - 2) * PAGE_SIZE, 64) != OK;
}

BENCHMARK(copy_from_user_4k, space_begin, space_end)
{
	return copy_from_user(buffer, area + (PAGES - 2) * PAGE_SIZE, 4096) != OK;
}
