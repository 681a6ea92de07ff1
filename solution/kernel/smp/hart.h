/*
 * hart.h - between hart.c, which knows what state a hart is in, and hart_start.c, which gives it what it needs.
 */
#ifndef MAZU_KERNEL_SMP_HART_H
#define MAZU_KERNEL_SMP_HART_H

#include <mazu/error.h>
#include <mazu/types.h>

/*
 * The hart, whose struct pcpu has its index and its id, gets what it needs to run. ERR_NOMEM: it has nothing. The hole
 * hart_start.c, like the next. Boot hart, task context, nobody else runs.
 */
enum error __must_check hart_prepare(u32 hart);

/*
 * The firmware is asked to start the hart, which was prepared. ERR_NOTSUP, ERR_IO: it will not; the hart is not
 * expected and has nothing any more. Boot hart, task context.
 */
enum error __must_check hart_start(u32 hart);

/* It is to come, or not after all. Before the firmware is asked: the hart may be there before the answer. */
void hart_expect(u32 hart, bool comes);

#endif
