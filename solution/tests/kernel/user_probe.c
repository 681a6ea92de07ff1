/*
 * Loading and running the program of user_program.S.
 */
#include "user_probe.h"

#include <arch/cpu.h>
#include <arch/trap.h>
#include <mazu/page.h>
#include <mazu/uaccess.h>

#define ENTRY_SIZE 16

extern const char user_probe_start[], user_probe_end[];

static struct trap_frame last; /* of the trap that ended a run */

static bool probe_trap(struct trap_frame *frame)
{
	last = *frame;
	arch_user_return(0);
}

/* The first half of an instruction of four bytes: the other half is on the next page. */
static enum error code_write(const struct probe *probe)
{
	static const u16 half = 0x0013;
	size_t size = (size_t)(user_probe_end - user_probe_start);
	enum error err = copy_to_user(probe->code, user_probe_start, size);

	return err ? err : copy_to_user(probe->code + PAGE_SIZE - 2, &half, sizeof(half));
}

static enum error probe_load(struct probe *probe)
{
	struct result_u64 code = addrspace_map(probe->space, 0, PAGE_SIZE, VM_READ | VM_WRITE);
	struct result_u64 stack = addrspace_map_stack(probe->space, PROBE_STACK_SIZE);

	if (code.err || stack.err)
		return code.err ? code.err : stack.err;
	probe->code = code.value;
	probe->stack = stack.value;
	addrspace_switch(probe->space);

	enum error err = code_write(probe);

	return err ? err
		   : addrspace_protect(probe->space, probe->code, PAGE_SIZE, VM_READ | VM_EXEC);
}

enum error probe_open(struct probe *probe, u64 page_limit)
{
	struct result_addrspace space = addrspace_create(page_limit);

	if (space.err)
		return space.err;
	*probe = (struct probe){ .space = space.value };

	enum error err = probe_load(probe);

	if (err)
		probe_close(probe);
	return err;
}

void probe_close(struct probe *probe)
{
	addrspace_switch(NULL);
	addrspace_destroy(probe->space);
	probe->space = NULL;
}

struct probe_end probe_run(const struct probe *probe, enum probe_entry entry, u64 argument)
{
	trap_handler *previous = trap_set_user_handler(probe_trap);
	bool irqs = arch_irq_save();

	arch_user_call(probe->code + entry * ENTRY_SIZE, probe->stack, argument);
	arch_irq_restore(irqs);
	trap_set_user_handler(previous);
	return (struct probe_end){ last.cause, last.value, last.a0 };
}

bool probe_returned(struct probe_end end, u64 value)
{
	return end.cause == TRAP_USER_CALL && end.value == value;
}

bool probe_faulted(struct probe_end end, u64 cause, uptr address)
{
	return end.cause == cause && end.address == address;
}
