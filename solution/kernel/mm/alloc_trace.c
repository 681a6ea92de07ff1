/*
 * Backtraces that are kept for later: see alloc_trace.h.
 *
 * Text is smaller than 4 GiB, so an offset of 32 bits says the same as an address in half the
 * memory.
 */
#include "alloc_trace.h"

#include <arch/backtrace.h>
#include <mazu/printk.h>
#include <mazu/symbols.h>

extern char _text_start[];

void alloc_trace_take(struct alloc_trace *trace)
{
	struct backtrace at;

	*trace = (struct alloc_trace){ { 0 } };
	backtrace_start(&at, NULL); /* here, */
	backtrace_next(&at);	    /* our caller, */
	backtrace_next(&at);	    /* and who called it */
	for (u32 i = 0; i < ALLOC_TRACE_DEPTH && at.pc; i++) {
		trace->at[i] = (u32)(at.pc - (uptr)_text_start);
		backtrace_next(&at);
	}
}

void alloc_trace_print(const char *what, const struct alloc_trace *trace)
{
	pr_panic("%s by:%s", what, trace->at[0] ? "" : " nobody that is known");
	for (u32 i = 0; i < ALLOC_TRACE_DEPTH && trace->at[i]; i++) {
		uptr pc = (uptr)_text_start + trace->at[i];
		struct symbol symbol = symbol_find_return(pc);

		pr_panic("  0x%016lx %.*s+0x%lx", pc, STR_ARG(symbol.name), symbol.offset);
	}
}
