/*
 * fixup.h - instructions that may fault, and where to go on when they do.
 *
 * A fixup says: a fault at an instruction in [start, end) continues at `handler`, with every
 * other register as it was. The linker gathers all of them; there are a handful, and a fault
 * looks through them in order.
 */
#ifndef ARCH_FIXUP_H
#define ARCH_FIXUP_H

#ifdef __ASSEMBLER__

/* clang-format off */
	.macro FIXUP start, end, handler
	.pushsection trap_fixups, "a"
	.balign 8
	.quad \start, \end, \handler
	.popsection
	.endm
/* clang-format on */

#else

#include <mazu/types.h>

struct trap_frame;

struct trap_fixup {
	uptr start;
	uptr end;
	uptr handler;
};

/* Sends the trap's code to its fixup's handler. False: it has none. */
bool trap_fixup(struct trap_frame *frame);

#endif
#endif
