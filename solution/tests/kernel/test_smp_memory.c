/*
 * Memory that goes from hart to hart: what one allocates another frees, while all change the kernel's map.
 *
 * A slot holds one block at a time. Whoever comes puts a new one there and takes the old one, which another hart has
 * most likely made: caches of the harts, the lists behind them and the pages' records all change owners. Each
 * block says which it is, at both ends, so two owners of one block notice.
 */
#include <arch/layout.h>
#include <mazu/addrspace.h>
#include <mazu/kmalloc.h>
#include <mazu/kstack.h>
#include <mazu/page.h>
#include <mazu/uaccess.h>

#include "storm.h"

#define SLOTS 16
#define ROUNDS 300U

static void *slots[SLOTS]; /* atomic */

static void sign(void *block, size_t size)
{
	volatile u64 *words = block;

	words[0] = words[size / sizeof(u64) - 1] = (uptr)block ^ size;
}

/* And nobody is to find it signed after it was freed. */
static bool is_signed(void *block, size_t size)
{
	volatile u64 *words = block;
	bool is = words[0] == ((uptr)block ^ size) &&
		  words[size / sizeof(u64) - 1] == ((uptr)block ^ size);

	words[0] = words[size / sizeof(u64) - 1] = 0;
	return is;
}

/* ---- kmalloc ---- */

/* Slot by slot the sizes are 16 bytes to 8 KiB: slabs, and larger. */
static size_t object_size(u64 slot)
{
	return 16UL << slot % 10;
}

static u64 give_back(void *object, size_t size)
{
	bool wrong;

	if (!object)
		return 0;
	wrong = !is_signed(object, size);
	kfree(object, size);
	return wrong;
}

static u64 run_objects(void *arg)
{
	u64 state = 1 + this_cpu()->index, wrong = 0;

	(void)arg;
	for (u32 i = 0; i < ROUNDS; i++) {
		u64 at = storm_dice(&state) % SLOTS;
		struct result_ptr object = kmalloc(object_size(at));

		if (object.err)
			continue;
		sign(object.value, object_size(at));
		wrong += give_back(atomic_exchange_acq_rel(&slots[at], object.value),
				   object_size(at));
		if (i % 64 == 63)
			kmalloc_drain();
	}
	return wrong;
}

SELFTEST(smp_kmalloc_hands, "objects that one hart allocates and another frees have one owner each")
{
	u64 wrong;

	NEEDS_HARTS(t);
	wrong = storm(t, run_objects, NULL);
	for (u32 i = 0; i < SLOTS; i++)
		wrong += give_back(atomic_exchange_acq_rel(&slots[i], NULL), object_size(i));
	CHECK_EQ(t, wrong, 0);
}

/* ---- Pages ---- */

static u64 free_pages(void *block, u32 order)
{
	bool wrong;

	if (!block)
		return 0;
	wrong = !is_signed(block, PAGE_SIZE << order);
	page_free(block, order);
	return wrong;
}

static u64 run_blocks(void *arg)
{
	u64 state = 1 + this_cpu()->index, wrong = 0;

	(void)arg;
	for (u32 i = 0; i < ROUNDS; i++) {
		u32 at = (u32)(storm_dice(&state) % SLOTS), order = at % 4;
		struct result_ptr block = page_alloc(order, PAGE_TEST);

		if (block.err)
			continue;
		sign(block.value, PAGE_SIZE << order);
		wrong += free_pages(atomic_exchange_acq_rel(&slots[at], block.value), order);
		if (i % 32 == 31)
			page_cache_drain();
	}
	return wrong;
}

static u64 pages_accounted(const struct page_statistics *s)
{
	u64 sum = s->free;

	for (u32 i = 0; i < PAGE_TYPE_COUNT; i++)
		sum += s->held[i];
	return sum;
}

SELFTEST(smp_pages_hands, "pages that one hart allocates and another frees have one owner each, "
			  "and all are accounted for")
{
	struct page_statistics before, after;
	u64 wrong;

	NEEDS_HARTS(t);
	page_statistics(&before);
	wrong = storm(t, run_blocks, NULL);
	for (u32 i = 0; i < SLOTS; i++)
		wrong += free_pages(atomic_exchange_acq_rel(&slots[i], NULL), i % 4);
	CHECK_EQ(t, wrong, 0);
	page_statistics(&after);
	CHECK_EQ(t, after.held[PAGE_TEST], before.held[PAGE_TEST]);
	CHECK_EQ(t, pages_accounted(&after), after.total);
}

/* Owners come and go; the page is there as long as one is left. */
static u64 run_owners(void *page)
{
	for (u32 i = 0; i < ROUNDS; i++) {
		page_get(page);
		page_put(page);
	}
	return 0;
}

SELFTEST(smp_page_owners, "owners of a page that come and go on all harts are counted right")
{
	struct result_ptr page = page_alloc(0, PAGE_TEST);

	REQUIRE(t, !page.err);
	storm(t, run_owners, page.value);
	CHECK_EQ(t, page_owners(page.value), 1);
	page_put(page.value);
}

/* ---- The kernel's map ---- */

/*
 * A stack's guard is hidden from all harts and shown again when the stack is given back; then its memory is
 * anybody's. A hart that still has the old translation faults on what is its own.
 */
static u64 run_stacks(void *arg)
{
	u64 wrong = 0;

	(void)arg;
	for (u32 i = 0; i < ROUNDS / 12; i++) {
		struct result_ptr stack = kstack_alloc(), pages = page_alloc(2, PAGE_TEST);

		if (!stack.err) {
			sign((u8 *)stack.value + STACK_GUARD, STACK_SIZE - STACK_GUARD);
			task_yield();
			wrong += !is_signed((u8 *)stack.value + STACK_GUARD,
					    STACK_SIZE - STACK_GUARD);
			kstack_free(stack.value);
		}
		if (!pages.err) {
			for (u32 page = 0; page < 4; page++)
				sign((u8 *)pages.value + page * PAGE_SIZE, PAGE_SIZE);
			page_free(pages.value, 2);
		}
		kstack_drain();
	}
	return wrong;
}

SELFTEST(smp_stacks,
	 "guards are hidden and shown on all harts at once, and nobody meets an old one")
{
	NEEDS_HARTS(t);
	CHECK_EQ(t, storm(t, run_stacks, NULL), 0);
}

/* ---- Address spaces ---- */

/* Writes into a page of the current space, and finds it there after others had the hart; ERR_FAULT when it is not mapped. */
static u64 use_page(uptr at, u64 mark)
{
	u64 found = 0, wrong = 0;

	wrong += copy_to_user(at, &mark, sizeof(mark)) != OK;
	task_yield();
	wrong += copy_from_user(&found, at, sizeof(found)) != OK || found != mark;
	return wrong;
}

/* Each its own, with an ASID that was another hart's a moment ago. */
static u64 run_spaces(void *arg)
{
	u64 wrong = 0, word;

	(void)arg;
	for (u32 i = 0; i < ROUNDS / 10; i++) {
		struct result_addrspace space = addrspace_create(64);
		uptr at;

		if (space.err)
			continue;
		addrspace_switch(space.value);
		at = addrspace_map(space.value, 0, 4 * PAGE_SIZE, VM_READ | VM_WRITE).value;
		if (at) {
			wrong += use_page(at, this_cpu()->index * 1000UL + i);
			wrong += use_page(at + 3 * PAGE_SIZE, i);
			wrong += addrspace_unmap(space.value, at, PAGE_SIZE) != OK;
			wrong += copy_from_user(&word, at, sizeof(word)) == OK;
		}
		addrspace_switch(NULL);
		addrspace_destroy(space.value);
	}
	return wrong;
}

SELFTEST(smp_spaces, "address spaces come and go on all harts, and each sees its own pages only")
{
	struct page_statistics before, after;

	NEEDS_HARTS(t);
	page_statistics(&before);
	CHECK_EQ(t, storm(t, run_spaces, NULL), 0);
	page_statistics(&after);
	CHECK_EQ(t, after.held[PAGE_USER], before.held[PAGE_USER]);
}
