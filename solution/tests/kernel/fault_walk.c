/*
 * Out of memory, everywhere: a test is run with its first allocation failing, then with its second,
 * and so on until it makes fewer. What it finds does not count (it may well find that there
 * was no memory); what counts is that the kernel lives and that no page is missing afterwards.
 *
 * Tables of the kernel's own map are left out of the count: a superpage that was split stays split.
 */
#include "fault_walk.h"

#include <mazu/fault_inject.h>
#include <mazu/kernel_map.h>
#include <mazu/kmalloc.h>
#include <mazu/kstack.h>
#include <mazu/page.h>
#include <mazu/selftest.h>

/* No test allocates more often. */
#define ALLOCATIONS_MAX 100000

static struct {
	u32 number;
	u32 failed;
} progress;

static u64 pages_free(void)
{
	struct page_statistics s;

	kstack_drain();
	kmalloc_drain();
	page_cache_drain();
	page_statistics(&s);
	return s.free + kernel_pagetable.quota->used;
}

/* Whether an allocation was made to fail. */
static bool run_failing(const struct selftest_case *test, u64 nth)
{
	struct selftest t = { .test = test };

	fault_inject_set(nth);
	test->run(&t);

	bool fired = fault_inject_fired();

	fault_inject_set(0);
	return fired;
}

static void walk_one(const struct selftest_case *test)
{
	u64 before = pages_free(), after = before, nth = 1;

	while (nth < ALLOCATIONS_MAX && run_failing(test, nth) && after == before) {
		after = pages_free();
		nth++;
	}

	bool lost = after != before || nth == ALLOCATIONS_MAX;

	progress.failed += lost;
	selftest_print("%s %u - %.*s: survives each of its %lu allocations failing\n",
		       lost ? "not ok" : "ok", ++progress.number, STR_ARG(test->name), nth - 1);
	if (lost)
		selftest_print("  ---\n  free_before: %lu\n  free_after: %lu\n  ...\n", before,
			       after);
}

u32 fault_walk_run(struct str pattern)
{
	u32 planned = selftest_for_each(pattern, NULL);

	selftest_print("TAP version 14\n1..%u\n", planned);
	progress.number = progress.failed = 0;
	selftest_for_each(pattern, walk_one);
	return planned ? progress.failed : 1;
}
