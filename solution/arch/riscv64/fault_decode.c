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
	u32 access;

	switch (frame->cause) {
	case TRAP_FETCH_PAGE: access = VM_EXEC; break;
	case TRAP_LOAD_PAGE: access = VM_READ; break;
	case TRAP_STORE_PAGE: access = VM_WRITE; break;
	default: return ERR_INVAL;
	}
	*fault = (struct fault){
		.address = frame->value,
		.access = access,
		.user = trap_from_user(frame),
	};
	return OK;
}
