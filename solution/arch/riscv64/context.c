/*
 * The context of a task that has not run yet.
 *
 * It looks as if the task had been switched out at its very first instruction: its stack is empty, its frame pointer
 * is 0, where a backtrace ends.
 */
#include <arch/context.h>

static_assert(offsetof(struct context, ra) == CONTEXT_RA, "context.h: ra");
static_assert(offsetof(struct context, sp) == CONTEXT_SP, "context.h: sp");
static_assert(offsetof(struct context, s) == CONTEXT_S(0), "context.h: s");
static_assert(sizeof(struct context) == CONTEXT_SIZE, "context.h: CONTEXT_SIZE");

extern char arch_context_begin[];

void arch_context_init(struct context *context, uptr stack_top, void (*entry)(void))
{
	*context = (struct context){
		.ra = (uptr)arch_context_begin,
		.sp = stack_top,
		.s = { [1] = (uptr)entry },
	};
}
