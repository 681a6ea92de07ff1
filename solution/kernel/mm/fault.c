/*
 * Who answers a page fault: the address space, when the address is a program's and the access
 * was made for the program, by itself or by the kernel's copy on its behalf. A kernel that
 * strays into user addresses by accident gets no help, and neither does one that copies from an
 * address of its own.
 *
 * A fault that is answered has changed the tree, so the access that is tried again does not
 * fault again; one that is not answered is the program's end, the copy's ERR_FAULT, or a panic.
 */
#include <arch/trap.h>
#include <mazu/addrspace.h>
#include <mazu/fault.h>

bool page_fault(struct trap_frame *frame)
{
	struct addrspace *space = addrspace_current();
	struct fault fault;

	if (!space || fault_decode(frame, &fault))
		return false;
	if (!fault.user && !trap_in_uaccess(frame))
		return false;
	return addrspace_fault(space, &fault) == OK;
}
