/*
 * Backtraces, by the host's libc.
 */
#ifndef ARCH_BACKTRACE_H
#define ARCH_BACKTRACE_H

#include <mazu/types.h>

struct trap_frame;

struct backtrace {
	uptr pc; /* 0: the end */
	size_t depth;
};

void backtrace_start(struct backtrace *trace, const struct trap_frame *frame);
void backtrace_next(struct backtrace *trace);

#endif
