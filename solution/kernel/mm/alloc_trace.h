/*
 * alloc_trace.h - who called, in a few words of memory (CONFIG_ALLOC_DEBUG).
 *
 * Each block that the allocators' debug builds watch remembers two of these: who allocated it, and
 * who freed it.
 */
#ifndef MM_ALLOC_TRACE_H
#define MM_ALLOC_TRACE_H

#include <mazu/types.h>

#define ALLOC_TRACE_DEPTH 6

/* Return addresses, the innermost first, as offsets from the text's beginning; 0: no more. */
struct alloc_trace {
	u32 at[ALLOC_TRACE_DEPTH];
};

/* The callers of our own caller. */
void alloc_trace_take(struct alloc_trace *trace);

/*
 * "allocated by:" and the functions' names, a line each, on the console, whatever its level. For
 * use just before a panic, whose line comes next.
 */
void alloc_trace_print(const char *what, const struct alloc_trace *trace);

#endif
