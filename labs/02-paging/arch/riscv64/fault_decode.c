/*
 * What a page fault was about: which address, what kind of access, whose.
 *
 * The hart tells in three registers, which the trap's frame keeps: the cause says that an access
 * could not be translated and of which kind it was (fetching an instruction, loading, storing;
 * an atomic operation counts as a store), the value is the address, and the saved status
 * remembers the mode that the hart came from. All other traps, interrupts with the same numbers
 * among them, are somebody else's.
 *
 * Source: Privileged Architecture 20211203, sections 4.1.1 (SPP), 4.1.8 (scause), 4.1.9 (stval).
 */
#include <arch/trap.h>
#include <mazu/fault.h>
#include <mazu/vma.h>

enum error fault_decode(const struct trap_frame *frame, struct fault *fault)
{
	/*
	 * The three exceptions TRAP_FETCH_PAGE, TRAP_LOAD_PAGE and TRAP_STORE_PAGE are page
	 * faults: VM_EXEC, VM_READ and VM_WRITE. Compare the whole of frame->cause: an
	 * interrupt has the same low bits. Anything else is ERR_INVAL. The address is in
	 * frame->value, and trap_from_user() knows the mode.
	 */
	LAB_TODO(2, 4);
}
/* mazu: lab 2 interface bbc913bfe803 */
