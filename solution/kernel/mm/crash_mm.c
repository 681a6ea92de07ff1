/*
 * Faults on purpose that the allocators' debug builds find. Each kind goes on to the call that
 * finds it; the barrier behind that keeps the compiler from jumping there, or the report would
 * name our caller.
 */
#include <mazu/crash.h>
#include <mazu/kmalloc.h>
#include <mazu/page.h>

#define SIZE 24

static volatile size_t one = 1; /* which the compiler must not know */

/* Functions of their own, so that the report tells who allocated from who freed. */
static __attribute__((noinline)) u8 *crash_allocate(void)
{
	u8 *object = kmalloc(SIZE).value;

	barrier();
	return object;
}

static __attribute__((noinline)) u8 *crash_allocate_page(void)
{
	u8 *page = page_alloc(0, PAGE_TEST).value;

	barrier();
	return page;
}

CRASH_KIND(crash_kmalloc_overrun, "kmalloc-overrun", "write behind an object's end, and free it")
{
	u8 *object = crash_allocate();

	if (object)
		WRITE_ONCE(object[SIZE - 1 + one], 1);
	kfree(object, SIZE);
	barrier();
}

CRASH_KIND(crash_kmalloc_underrun, "kmalloc-underrun", "write in front of an object, and free it")
{
	u8 *object = crash_allocate();

	if (object)
		WRITE_ONCE(object[-one], 1);
	kfree(object, SIZE);
	barrier();
}

CRASH_KIND(crash_double_free, "double-free", "free an object twice")
{
	u8 *object = crash_allocate();

	kfree(object, SIZE);
	kfree(object, SIZE);
	barrier();
}

CRASH_KIND(crash_use_after_free, "use-after-free", "write to an object that was freed")
{
	u8 *object = crash_allocate();

	kfree(object, SIZE);
	if (object)
		WRITE_ONCE(object[one], 1);
	kmalloc_drain();
	barrier();
}

CRASH_KIND(crash_wrong_size, "wrong-size", "free an object as if it were larger")
{
	u8 *object = crash_allocate();

	kfree(object, SIZE + one);
	barrier();
}

CRASH_KIND(crash_page_double_free, "page-double-free", "free a page twice")
{
	u8 *page = crash_allocate_page();

	if (!page)
		return;
	page_free(page, 0);
	page_free(page, 0);
	barrier();
}

/* Found when the page is given out again, which is next: the last one freed is the first. */
CRASH_KIND(crash_page_use_after_free, "page-use-after-free", "write to a page that was freed")
{
	u8 *page = crash_allocate_page();

	if (!page)
		return;
	page_free(page, 0);
	WRITE_ONCE(page[one], 1);
	page_free(crash_allocate_page(), 0);
	barrier();
}
