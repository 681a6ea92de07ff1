/*
 * Reports of misused objects: see kmalloc_report.h.
 */
#include "kmalloc_report.h"

#include "page_debug.h"

#include <mazu/page.h>
#include <mazu/panic.h>

#define OBJECT "kmalloc: object 0x%lx of %lu bytes: "
#define OBJECT_ARG(suspect) (uptr)(suspect)->object, (suspect)->size

static void history_print(const struct suspect *suspect)
{
	if (!suspect->allocated)
		return page_debug_history(page_frame(suspect->object));
	alloc_trace_print("allocated", suspect->allocated);
	if (suspect->freed)
		alloc_trace_print("freed", suspect->freed);
}

void report_size(const struct suspect *suspect, size_t size)
{
	if (size == suspect->size)
		return;
	history_print(suspect);
	panic_from(suspect->caller, OBJECT "freed with size %lu", OBJECT_ARG(suspect), size);
}

void report_bytes(const struct suspect *suspect, long from, long to, u8 pattern, const char *what)
{
	long first = to, wrong = 0;

	for (long i = from; i < to; i++) {
		if (suspect->object[i] == pattern)
			continue;
		first = MIN(first, i);
		wrong++;
	}
	if (wrong == 0)
		return;
	history_print(suspect);
	panic_from(suspect->caller, OBJECT "%s (%ld byte%s, offset %ld)", OBJECT_ARG(suspect), what,
		   wrong, wrong == 1 ? "" : "s", first);
}

void report_double_free(const struct suspect *suspect)
{
	history_print(suspect);
	panic_from(suspect->caller, OBJECT "double free", OBJECT_ARG(suspect));
}

void report_no_object(const void *object, size_t size, uptr caller)
{
	panic_from(caller, "kmalloc: free of 0x%lx, %lu bytes: no object, or overwritten",
		   (uptr)object, size);
}
