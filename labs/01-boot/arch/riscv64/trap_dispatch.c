/*
 * Trap dispatch: one vector, so software must tell causes apart.
 *
 * The cause register holds two things: its top bit says whether the trap is an interrupt (the
 * code may go on as if nothing had happened) or an exception (this very instruction could not
 * be executed), and the rest is a code that counts separately in each of the two. Each has its
 * table of handlers. A code beyond the table, a code without a handler and a handler that
 * declines are all the same: a fault, and trap_fault does not return.
 *
 * Called by trap_entry.S with interrupts off, on the stack that was interrupted.
 *
 * Source: Privileged Architecture 20211203, section 4.1.8 (scause).
 */
#include <arch/trap.h>

void trap_dispatch(struct trap_frame *frame)
{
	/*
	 * Split frame->cause into the interrupt bit (SCAUSE_INTERRUPT) and the code, pick the
	 * table that belongs to it, and call the handler of that code with the frame. A code at
	 * or beyond TRAP_CODES, an empty slot, or a handler that returns false is a fault:
	 * trap_fault(frame) reports it and does not return.
	 */
	LAB_TODO(1, 4);
}
/* mazu: lab 1 interface 52166ff23881 */
