/*
 * What a task that does not run leaves behind: nothing, for none ever runs.
 */
#ifndef ARCH_CONTEXT_H
#define ARCH_CONTEXT_H

#include <mazu/types.h>

struct context {
	u64 unused;
};

/* Comes back at once: who runs is a matter of the run queue alone. */
void arch_switch(struct context *from, struct context *to);

#endif
