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
	struct result_ptr normal = kstack_alloc(), emergency = kstack_alloc();

	if (normal.err || emergency.err) {
		stacks_free(&normal, &emergency);
		return normal.err ? normal.err : emergency.err;
	}
	given[hart] = (struct hart_stacks){ normal.value, emergency.value };
	task_prepare_hart(hart, normal.value);
	if (IS_ENABLED(CONFIG_TRACE))
		trace_prepare_hart(hart);
	return OK;
}

enum error hart_start(u32 hart)
{
	const struct hart_stacks *stacks = &given[hart];
	enum error err;

	hart_expect(hart, true);
	err = arch_hart_start(&pcpus[hart], stacks->normal, stacks->emergency);
	if (err) {
		hart_expect(hart, false);
		kstack_free(stacks->normal);
		kstack_free(stacks->emergency);
	}
	return err;
}
