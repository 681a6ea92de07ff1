/*
 * Memory that goes from hart to hart: what one allocates another frees, while all change the kernel's map.
 *
 * A slot holds one block at a time. Whoever comes puts a new one there and takes the old one, which another hart has
 * most likely made: caches of the harts, the lists behind them and the pages' records all change owners. Each
 * block says which it is, at both ends, so two owners of one block notice.
 */
#include <arch/layout.h>
#include <arch/trap.h>
#include <mazu/addrspace.h>
#include <mazu/kernel_map.h>
#include <mazu/kmalloc.h>
#include <mazu/kstack.h>
#include <mazu/mem.h>
#include <mazu/page.h>
#include <mazu/spinlock.h>
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
		task_use_space(space.value);
		at = addrspace_map(space.value, 0, 4 * PAGE_SIZE, VM_READ | VM_WRITE).value;
		if (at) {
			wrong += use_page(at, this_cpu()->index * 1000UL + i);
			wrong += use_page(at + 3 * PAGE_SIZE, i);
			wrong += addrspace_unmap(space.value, at, PAGE_SIZE) != OK;
			wrong += copy_from_user(&word, at, sizeof(word)) == OK;
		}
		task_use_space(NULL);
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

/* ---- What other harts remember ---- */

static struct {
	uptr at;
	u64 harts; /* atomic: those that can read there */
} look;

static void look_here(void *unused)
{
	(void)unused;
	if (arch_readable(look.at, 1))
		atomic_or_relaxed(&look.harts, hart_bit(this_cpu()->index));
}

static u64 readers_of(void *page)
{
	look.at = (uptr)page;
	atomic_store_relaxed(&look.harts, 0);
	on_each_hart(look_here, NULL);
	return atomic_load_relaxed(&look.harts);
}

static bool go_to(u64 hart)
{
	return sched_set_affinity(task_current(), hart_bit((u32)hart)) == OK;
}

SELFTEST(smp_hides,
	 "a page that a hart hides is gone from all of them, and comes back to all of them")
{
	u64 own = sched_affinity(task_current());

	NEEDS_HARTS(t);
	for_each_hart(hart, harts_online())
	{
		struct result_ptr page = page_alloc(0, PAGE_TEST);

		REQUIRE(t, !page.err && go_to(hart));
		CHECK_EQ(t, readers_of(page.value), harts_online());
		if (CHECK(t, !kernel_map_hide(page.value))) {
			CHECK_EQ(t, readers_of(page.value), 0);
			kernel_map_show(page.value);
		}
		CHECK_EQ(t, readers_of(page.value), harts_online());
		page_free(page.value, 0);
	}
	CHECK(t, !sched_set_affinity(task_current(), own));
}

/*
 * A program with a task on each hart, of which one changes its memory while the others wait. An emulator that forgets
 * translations whenever SUM changes, as QEMU does, shows less here than hardware: smp_hides looks at those that it keeps.
 */
static struct {
	struct addrspace *space;
	uptr at;
	u64 turn; /* atomic */
	u64 done; /* atomic: looks, of all harts and turns */
} shared;

#define TURNS 30

/* What can be done there from turn to turn: all, reading, nothing. */
enum { TURN_UNMAPPED, TURN_MAPPED, TURN_PROTECTED, TURN_KINDS };

static bool turn_is_seen(u64 turn)
{
	u64 word = turn;
	bool writable = copy_to_user(shared.at, &word, sizeof(word)) == OK;
	bool readable = copy_from_user(&word, shared.at, sizeof(word)) == OK;

	return writable == (turn % TURN_KINDS == TURN_MAPPED) &&
	       readable == (turn % TURN_KINDS != TURN_UNMAPPED);
}

static u64 run_looks(void *arg)
{
	u64 wrong = 0;

	(void)arg;
	task_use_space(shared.space);
	for (u64 turn = 1; turn <= TURNS; turn++) {
		while (atomic_load_acquire(&shared.turn) != turn)
			spin_relax();
		wrong += !turn_is_seen(turn);
		atomic_add_release(&shared.done, 1);
	}
	task_use_space(NULL);
	return wrong;
}

static enum error turn_begin(u64 turn)
{
	switch (turn % TURN_KINDS) {
	case TURN_MAPPED:
		return addrspace_map(shared.space, shared.at, PAGE_SIZE, VM_READ | VM_WRITE).err;
	case TURN_PROTECTED: return addrspace_protect(shared.space, shared.at, PAGE_SIZE, VM_READ);
	default: return addrspace_unmap(shared.space, shared.at, PAGE_SIZE);
	}
}

/* The first to look finds the page, so that the others do not change the space. */
static void turns(struct selftest *t, u64 looking)
{
	for (u64 turn = 1; turn <= TURNS; turn++) {
		CHECK(t, !turn_begin(turn));
		CHECK(t, turn_is_seen(turn));
		atomic_store_release(&shared.turn, turn);
		while (atomic_load_acquire(&shared.done) < turn * looking)
			spin_relax();
	}
}

SELFTEST(smp_unmaps, "what a program unmaps or protects on one hart is so on all that run it")
{
	struct task *tasks[CONFIG_CPU_MAX];
	u64 own, harts, looking = 0;
	struct result_addrspace space;

	NEEDS_HARTS(t);
	space = addrspace_create(64);
	REQUIRE(t, !space.err);
	memset(&shared, 0, sizeof(shared));
	shared.space = space.value;
	shared.at = space.value->start + 16 * PAGE_SIZE;
	own = sched_affinity(task_current());
	CHECK(t, !sched_set_affinity(task_current(), hart_bit(this_cpu()->index)));
	task_use_space(space.value);
	harts = harts_other();
	for_each_hart(hart, harts)
	{
		struct result_task task = storm_task(hart_bit((u32)hart), run_looks, NULL);

		if (CHECK(t, !task.err))
			tasks[looking++] = task.value;
	}
	turns(t, looking);
	while (looking)
		CHECK_EQ(t, task_join(tasks[--looking]).value, 0);
	task_use_space(NULL);
	addrspace_destroy(space.value);
	CHECK(t, !sched_set_affinity(task_current(), own));
}
