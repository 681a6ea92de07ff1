/*
 * kmalloc_report.h - what is said of an object that was misused (CONFIG_ALLOC_DEBUG).
 *
 * Each report is a panic in the name of whoever called kmalloc() or kfree(), with the object's
 * history in front.
 */
#ifndef MM_KMALLOC_REPORT_H
#define MM_KMALLOC_REPORT_H

#include "alloc_trace.h"

/* An object that is looked at, and for whom. */
struct suspect {
	const u8 *object;
	size_t size;			     /* as it was asked for */
	const struct alloc_trace *allocated; /* NULL: a block, which page_debug.c knows */
	const struct alloc_trace *freed;     /* NULL: it was not */
	uptr caller;
};

/* The size that it is freed with must be its own. */
void report_size(const struct suspect *suspect, size_t size);

/* Bytes [from, to), counted from the object's first, must hold the pattern. */
void report_bytes(const struct suspect *suspect, long from, long to, u8 pattern, const char *what);

void report_double_free(const struct suspect *suspect) __noreturn;

/* No object begins here, or nothing is left of what was known of it. */
void report_no_object(const void *object, size_t size, uptr caller) __noreturn;

#endif
