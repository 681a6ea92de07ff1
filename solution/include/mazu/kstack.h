/*
 * kstack.h - kernel stacks, each above a page that is not there.
 *
 * A stack is a block of STACK_SIZE bytes whose lowest page is hidden from the kernel: whoever grows
 * out of it faults at once, and the fault is reported as what it is.
 */
#ifndef MAZU_KSTACK_H
#define MAZU_KSTACK_H

#include <mazu/error.h>
#include <mazu/types.h>

/* The block; its usable part is [+STACK_GUARD, +STACK_SIZE). ERR_NOMEM. */
struct result_ptr __must_check kstack_alloc(void);
void kstack_free(void *block);

/* Gives back those that are kept for the next. */
void kstack_drain(void);

#endif
