/*
 * context.h - what a task that does not run leaves behind.
 *
 * A switch is a function call: the compiler has saved what a callee may change, so only the rest is
 * kept. Everything else of an interrupted task lies in the trap frame on its stack.
 */
#ifndef ARCH_CONTEXT_H
#define ARCH_CONTEXT_H

/* Offsets in struct context, for switch.S. */
#define CONTEXT_RA 0
#define CONTEXT_SP 8
#define CONTEXT_S(n) (16 + 8 * (n)) /* s0 to s11 */
#define CONTEXT_SIZE 112

#ifndef __ASSEMBLER__

#include <mazu/types.h>

struct context {
	u64 ra; /* where it goes on */
	u64 sp;
	u64 s[12]; /* s0 is the frame pointer */
};

/* Saves the running code in `from` and goes on where `to` was saved. Interrupts off. Comes back when somebody switches to `from`. */
void arch_switch(struct context *from, struct context *to);

/* `context` will call entry() on the stack that ends at `stack_top`; it must not return. */
void arch_context_init(struct context *context, uptr stack_top, void (*entry)(void));

#endif
#endif
