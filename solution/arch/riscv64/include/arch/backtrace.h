/*
 * backtrace.h - who called whom.
 */
#ifndef ARCH_BACKTRACE_H
#define ARCH_BACKTRACE_H

#include <mazu/types.h>

struct trap_frame;

struct backtrace {
	uptr pc;	  /* where this function is; 0: the end */
	uptr fp;	  /* the frame pointer there */
	uptr ra;	  /* of interrupted code: its return address register */
	bool interrupted; /* by a trap: pc is exact; else it is a return address */
};

/* Begins at our own caller, or at the code that a trap interrupted. */
void backtrace_start(struct backtrace *trace, const struct trap_frame *frame);

/*
 * Moves to the caller. Reads only within a kernel stack, whatever the frames hold, and climbs it
 * by at least 16 bytes every other step, so a walk ends.
 */
void backtrace_next(struct backtrace *trace);

#endif
