/*
 * Pages under suspicion: see page_debug.h.
 *
 * A freed page is filled with a pattern, and the pattern must still be there when somebody gets
 * the page: who writes to what was freed is found out then at the latest. As an address the
 * pattern is one that cannot exist, so who follows a pointer read from a freed page faults.
 *
 * Each page has a record of its own beside its frame. The frame says what the buddy allocator
 * needs, which is nothing about a page inside a block; the record of each page says whether it
 * begins a held block, lies inside of one, or was freed as part of which. So a block that is freed
 * twice is told from an address that is wrong, however much it was merged and cut up in between. The
 * first record of a held block holds who allocated it; every record of a freed one that, and who
 * freed it. A page that was never held is not filled, so its record says that, too.
 *
 * Whoever owns a block is alone with its records; nobody else looks before the block is given
 * back. That includes the moment between taking and filling, so none of this needs a lock.
 */
#include "page_debug.h"
#include "page_internal.h"

#include <mazu/bytes.h>
#include <mazu/fmt.h>
#include <mazu/mem.h>
#include <mazu/panic.h>
#include <mazu/printk.h>

#define POISON 0xa5a5a5a5a5a5a5a5UL

enum page_record_state {
	RECORD_FRESH,  /* never was in a held block */
	RECORD_HELD,   /* the first of a held block of `order` */
	RECORD_INSIDE, /* of a held block, not the first */
	RECORD_FREED,  /* was in a held block of `order`, which was freed */
};

static struct page_record *records; /* as many as frames */

void page_debug_init(struct frame *frames, u32 count)
{
	if (!frames)
		return;
	records = (struct page_record *)(frames + count);
	memset(frames, 0, count * (sizeof(*frames) + sizeof(*records)));
}

static struct page_record *record_of(const struct frame *frame)
{
	return &records[frame - page_buddy.frames];
}

/* ---- Reports: who had it, then PANIC with what is wrong ---- */

/* The record that knows a page's history: of the held block around it, else its own; NULL: it has none. */
static const struct page_record *record_that_knows(const struct page_record *page)
{
	u64 number = (u64)(page - records);

	if (page->state == RECORD_FREED)
		return page;
	for (u32 order = 0; order < BUDDY_ORDERS && page->state != RECORD_FRESH; order++) {
		const struct page_record *first = &records[number & ~((1UL << order) - 1)];

		if (first->state == RECORD_HELD)
			return first;
	}
	return NULL;
}

static void history_print(const struct page_record *record)
{
	if (!record)
		return;
	alloc_trace_print("allocated", &record->allocated);
	if (record->state == RECORD_FREED)
		alloc_trace_print("freed", &record->freed);
}

void page_debug_history(const struct frame *frame)
{
	history_print(record_that_knows(record_of(frame)));
}

static __noreturn void panic_poison(const struct page_record *record, const u64 *word)
{
	history_print(record_that_knows(record));
	panic("page: 0x%lx was written to after it was freed: 0x%lx", (uptr)word, *word);
}

/* A block that cannot be given back, and who tried. */
struct bad_free {
	const struct frame *head; /* NULL: no memory of ours */
	const void *page;
	u32 order;
	uptr caller;
};

static __noreturn __printf(2, 3) void panic_free(const struct bad_free *bad, const char *format,
						 ...)
{
	u8 text[PRINTK_LINE_MAX];
	struct byte_buf why = BYTE_BUF(text);
	va_list args;

	va_start(args, format);
	fmt_v(&why, format, args);
	va_end(args);
	panic_from(bad->caller, "page: free of 0x%lx, order %u: %.*s", (uptr)bad->page, bad->order,
		   STR_ARG(byte_buf_to_str(&why)));
}

static __noreturn void free_report(const struct bad_free *bad)
{
	if (!bad->head)
		panic_free(bad, "it is not memory of ours");
	if ((uptr)bad->page & PAGE_MASK)
		panic_free(bad, "it is not the start of a page");

	const struct page_record *record = record_of(bad->head);
	const struct page_record *block = record_that_knows(record);

	history_print(block);
	if (!block)
		panic_free(bad, "it was not allocated");
	if (block->state == RECORD_FREED)
		panic_from(bad->caller, "page: double free of 0x%lx, order %u", (uptr)bad->page,
			   bad->order);
	if (block != record)
		panic_free(bad, "it is inside of a block of order %u", block->order);
	if (block->order != bad->order)
		panic_free(bad, "it was allocated with order %u", block->order);
	panic_free(bad, "it has %u owners", bad->head->owners);
}

/* ---- Checks ---- */

static void check_poison(const struct page_record *record, const u64 *words)
{
	for (u64 i = 0; i < PAGE_SIZE / sizeof(*words); i++)
		if (words[i] != POISON)
			panic_poison(record, &words[i]);
}

void page_debug_alloc(const struct frame *head, void *page, u32 order)
{
	struct page_record *block = record_of(head);

	for (u64 i = 0; i < 1UL << order; i++)
		if (block[i].state == RECORD_FREED)
			check_poison(&block[i], (u64 *)((u8 *)page + i * PAGE_SIZE));
	for (u64 i = 1; i < 1UL << order; i++)
		block[i].state = RECORD_INSIDE;
	block->state = RECORD_HELD;
	block->order = (u8)order;
	alloc_trace_take(&block->allocated);
}

static bool is_held(const struct frame *head, const void *page, u32 order)
{
	return head && ((uptr)page & PAGE_MASK) == 0 && record_of(head)->state == RECORD_HELD &&
	       record_of(head)->order == order;
}

void page_debug_free(void *page, u32 order, uptr caller)
{
	const struct frame *head = frame_of(page);

	/* page_put has counted the last owner down to none */
	if (!is_held(head, page, order) || READ_ONCE(head->owners) > 1)
		free_report(&(struct bad_free){ head, page, order, caller });

	struct page_record *block = record_of(head);

	memset(page, (u8)POISON, PAGE_SIZE << order);
	block->state = RECORD_FREED;
	alloc_trace_take(&block->freed);
	for (u64 i = 1; i < 1UL << order; i++)
		block[i] = *block;
}

void page_debug_owned(const void *page, uptr caller)
{
	const struct frame *frame = frame_of(page);

	if (is_held(frame, page, 0) && READ_ONCE(frame->owners) > 0)
		return;
	if (frame)
		page_debug_history(frame);
	panic_from(caller, "page: 0x%lx gains or loses an owner, but is not held as a single page",
		   (uptr)page);
}
