/*
 * page_debug.h - what debug builds remember of each page, and check (CONFIG_ALLOC_DEBUG).
 *
 * None of it is in other builds: page.c calls behind IS_ENABLED.
 */
#ifndef MM_PAGE_DEBUG_H
#define MM_PAGE_DEBUG_H

#include "alloc_trace.h"

#include <mazu/buddy.h>
#include <mazu/config.h>

struct page_record {
	struct alloc_trace allocated;
	struct alloc_trace freed;
	u8 state; /* enum page_record_state */
	u8 order; /* of the block that the page is or was part of */
};

/* Bytes that a page's record takes behind those of struct frame. */
#define PAGE_DEBUG_SIZE (IS_ENABLED(CONFIG_ALLOC_DEBUG) ? sizeof(struct page_record) : 0)

/* The records lie behind the frames. Takes as long as there are pages. */
void page_debug_init(struct frame *frames, u32 count);

/* After a block was taken, its head being `head` and its address `page`. */
void page_debug_alloc(const struct frame *head, void *page, u32 order);

/* Before a block is given back by `caller`. Panics if it cannot be. */
void page_debug_free(void *page, u32 order, uptr caller);

/* Before owners are counted: panics unless somebody owns this single page. */
void page_debug_owned(const void *page, uptr caller);

/* Who allocated the block that a page is or was part of, and who freed it: lines before a panic. */
void page_debug_history(const struct frame *frame);

#endif
