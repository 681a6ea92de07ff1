/*
 * What traps mean: the tables of handlers, the names of causes, and the end for those that
 * mean nothing good.
 *
 * Two exceptions are expected in a kernel without user programs: a breakpoint that somebody
 * asked for, and a load by probe.S from an address that may not exist. Everything else
 * is a fault.
 */
#include <arch/layout.h>
#include <arch/trap.h>
#include <mazu/irq.h>
#include <mazu/panic.h>
#include <mazu/pcpu.h>
#include <mazu/time.h>

#define FRAME_FIELD(field, offset)                                                                 \
	static_assert(offsetof(struct trap_frame, field) == (offset), "layout.h: frame." #field)
#define PCPU_FIELD(field, offset)                                                                  \
	static_assert(offsetof(struct pcpu, arch.field) == (offset), "layout.h: pcpu." #field)

FRAME_FIELD(pc, FRAME_PC);
FRAME_FIELD(ra, FRAME_REG(1));
FRAME_FIELD(fp, FRAME_REG(8));
FRAME_FIELD(a0, FRAME_REG(10));
FRAME_FIELD(t6, FRAME_REG(31));
FRAME_FIELD(status, FRAME_STATUS);
FRAME_FIELD(cause, FRAME_CAUSE);
FRAME_FIELD(value, FRAME_VALUE);
static_assert(sizeof(struct trap_frame) == FRAME_SIZE, "layout.h: FRAME_SIZE");
PCPU_FIELD(stack_base, PCPU_STACK_BASE);
PCPU_FIELD(scratch, PCPU_SCRATCH);
PCPU_FIELD(trap_sp, PCPU_TRAP_SP);
PCPU_FIELD(kernel_sp, PCPU_KERNEL_SP);
PCPU_FIELD(emergency_base, PCPU_EMERGENCY_BASE);
PCPU_FIELD(overflows, PCPU_OVERFLOWS);

extern char trap_entry[], boot_stack[], emergency_stack[];
extern char arch_probe_load[], arch_probe_fault[]; /* probe.S */

static trap_handler *breakpoint_handler; /* interrupts off; self-tests */

trap_handler *trap_set_breakpoint(trap_handler *handler)
{
	trap_handler *previous = breakpoint_handler;

	WRITE_ONCE(breakpoint_handler, handler);
	return previous;
}

static bool trap_breakpoint(struct trap_frame *frame)
{
	return breakpoint_handler && breakpoint_handler(frame);
}

static bool trap_load_access(struct trap_frame *frame)
{
	if (frame->pc < (uptr)arch_probe_load || frame->pc >= (uptr)arch_probe_fault)
		return false;
	frame->pc = (uptr)arch_probe_fault;
	return true;
}

static bool trap_timer(struct trap_frame *frame)
{
	(void)frame;
	timer_interrupt();
	return true;
}

static bool trap_external(struct trap_frame *frame)
{
	(void)frame;
	irq_external();
	return true;
}

trap_handler *const trap_interrupt_handlers[TRAP_CODES] = {
	[TRAP_TIMER] = trap_timer,
	[TRAP_EXTERNAL] = trap_external,
};

trap_handler *const trap_exception_handlers[TRAP_CODES] = {
	[TRAP_BREAKPOINT] = trap_breakpoint,
	[TRAP_LOAD_ACCESS] = trap_load_access,
};

struct str trap_cause_name(const struct trap_frame *frame)
{
	static const struct str exceptions[TRAP_CODES] = {
		[TRAP_FETCH_MISALIGNED] = STR("instruction address misaligned"),
		[TRAP_FETCH_ACCESS] = STR("instruction access fault"),
		[TRAP_ILLEGAL] = STR("illegal instruction"),
		[TRAP_BREAKPOINT] = STR("breakpoint"),
		[TRAP_LOAD_MISALIGNED] = STR("load address misaligned"),
		[TRAP_LOAD_ACCESS] = STR("load access fault"),
		[TRAP_STORE_MISALIGNED] = STR("store address misaligned"),
		[TRAP_STORE_ACCESS] = STR("store access fault"),
		[TRAP_USER_CALL] = STR("call from user mode"),
		[TRAP_SUPERVISOR_CALL] = STR("call from supervisor mode"),
		[TRAP_FETCH_PAGE] = STR("instruction page fault"),
		[TRAP_LOAD_PAGE] = STR("load page fault"),
		[TRAP_STORE_PAGE] = STR("store page fault"),
	};
	static const struct str interrupts[TRAP_CODES] = {
		[TRAP_SOFTWARE] = STR("software interrupt"),
		[TRAP_TIMER] = STR("timer interrupt"),
		[TRAP_EXTERNAL] = STR("external interrupt"),
	};
	u64 code = frame->cause & ~SCAUSE_INTERRUPT;
	struct str name = STR("");

	if (code < TRAP_CODES)
		name = frame->cause & SCAUSE_INTERRUPT ? interrupts[code] : exceptions[code];
	return str_is_empty(name) ? STR("unknown cause") : name;
}

void trap_fault(struct trap_frame *frame)
{
	struct str name = trap_cause_name(frame);

	panic_at(frame, "%.*s (cause %lu, address 0x%lx) in %s mode", STR_ARG(name),
		 frame->cause & ~SCAUSE_INTERRUPT, frame->value,
		 trap_from_user(frame) ? "user" : "kernel");
}

void trap_stack_overflow(struct trap_frame *frame)
{
	panic_at(frame, "stack overflow in task %.*s (sp 0x%lx)", STR_ARG(this_cpu()->task),
		 frame->sp);
}

void trap_init(void)
{
	struct arch_pcpu *arch = &this_cpu()->arch;

	arch->stack_base = (uptr)boot_stack;
	arch->emergency_base = (uptr)emergency_stack;
	arch->overflows = 0;
	csr_write(sscratch, 0);
	csr_write(stvec, trap_entry);
	csr_write(sie, SIE_TIMER); /* devices when there is a controller: irq_set_chip */
}
