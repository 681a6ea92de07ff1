/*
 * What a hart is given before it starts.
 *
 * It arrives with nothing but the address of its struct pcpu, so all that it will touch before it can ask for
 * something is there first: a stack, another for when that overflows (trap entry changes to it), an idle
 * task, which the code that comes up already is, and a ring for its events. All harts are given what they need
 * before the first one starts: until then nobody has to be told that the kernel's map changes.
 *
 * The hart may be running before the firmware's answer is back, so it is expected before the firmware is asked.
 * Whatever fails, nothing is left: neither memory, nor somebody who waits for a hart that will not come.
 */
#include <arch/hart.h>
#include <mazu/config.h>
#include <mazu/kstack.h>
#include <mazu/pcpu.h>
#include <mazu/task.h>
#include <mazu/trace.h>

#include "hart.h"

/* What hart_prepare() gave, for hart_start(). */
static struct hart_stacks {
	void *normal, *emergency;
} given[CONFIG_CPU_MAX];

/* Of two stacks, those that there are. */
static void stacks_free(const struct result_ptr *normal, const struct result_ptr *emergency)
{
	if (!normal->err)
		kstack_free(normal->value);
	if (!emergency->err)
		kstack_free(emergency->value);
}

enum error hart_prepare(u32 hart)
{
	/*
	 * Two stacks (kstack_alloc), one for running and one for when that has overflowed.
	 * Remember them in given[hart]. The hart gets an idle task on the first
	 * (task_prepare_hart) and a ring for events (trace_prepare_hart, if CONFIG_TRACE is on:
	 * IS_ENABLED).
	 *
	 * Should a stack be missing, the other one is free again (stacks_free frees those that
	 * there are), and nothing else has been done; return the error, that of the first if
	 * there are two.
	 */
	LAB_TODO(4, 3);
}

enum error hart_start(u32 hart)
{
	/*
	 * The hart is expected (hart_expect), and the firmware is asked to start it with its
	 * two stacks (arch_hart_start). Which of these must come first? If the firmware
	 * refuses, the hart is not expected any more, and both stacks are free.
	 */
	LAB_TODO(4, 3);
}
/* mazu: lab 4 interface a552c878e7a8 */
