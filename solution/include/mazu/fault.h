/*
 * fault.h - what a page fault says, and who answers it.
 */
#ifndef MAZU_FAULT_H
#define MAZU_FAULT_H

#include <mazu/error.h>
#include <mazu/types.h>

struct trap_frame;

/* An access that the hart could not translate, or was not allowed to make. */
struct fault {
	uptr address;
	u32 access; /* VM_READ, VM_WRITE or VM_EXEC: exactly one */
	bool user;  /* tried in user mode */
};

/*
 * Reads a page fault out of a trap's frame (arch). ERR_INVAL: the trap is something else: an
 * interrupt, or an exception of another kind.
 */
enum error __must_check fault_decode(const struct trap_frame *frame, struct fault *fault);

/*
 * Answers a page fault: true when the address is a program's and its page is there now, so that
 * the access can be tried again. Interrupts off; for a program, or for a copy on its behalf
 * (uaccess.h).
 */
bool page_fault(struct trap_frame *frame);

#endif
