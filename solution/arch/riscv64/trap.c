/*
 * What traps mean: the tables of handlers, the names of causes, and the end for those that
 * mean nothing good.
 *
 * Few exceptions are expected: a breakpoint that somebody asked for; an access that has a fixup
 * (probe.S, uaccess.S); from stage 2 on a page that appears when it is touched, and whatever
 * a program does. Everything else is a fault.
 */
#include <arch/fixup.h>
#include <arch/layout.h>
#include <arch/memory.h>
#include <arch/trap.h>
#include <mazu/fault.h>
#include <mazu/irq.h>
#include <mazu/lockdep.h>
#include <mazu/panic.h>
#include <mazu/pcpu.h>
#include <mazu/preempt.h>
#include <mazu/smp.h>
#include <mazu/task.h>
#include <mazu/time.h>
#include <mazu/trace.h>

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
PCPU_FIELD(overflowed_base, PCPU_OVERFLOWED_BASE);
PCPU_FIELD(started_as, PCPU_STARTED_AS);
PCPU_FIELD(started_before, PCPU_STARTED_BEFORE);
static_assert(offsetof(struct pcpu, preempt) == PCPU_PREEMPT, "layout.h: pcpu.preempt");

extern char trap_entry[], boot_stack[], emergency_stack[];
extern const struct trap_fixup __start_trap_fixups[], __stop_trap_fixups[];

static trap_handler *breakpoint_handler; /* interrupts off; self-tests */
static trap_handler *user_handler;	 /* interrupts off */

trap_handler *trap_set_breakpoint(trap_handler *handler)
{
	trap_handler *previous = breakpoint_handler;

	WRITE_ONCE(breakpoint_handler, handler);
	return previous;
}

trap_handler *trap_set_user_handler(trap_handler *handler)
{
	trap_handler *previous = user_handler;

	WRITE_ONCE(user_handler, handler);
	return previous;
}

/* Bounded by the number of fixups, which is that of routines in probe.S and uaccess.S. */
bool trap_fixup(struct trap_frame *frame)
{
	for (const struct trap_fixup *f = __start_trap_fixups; f < __stop_trap_fixups; f++) {
		if (frame->pc >= f->start && frame->pc < f->end) {
			frame->pc = f->handler;
			return true;
		}
	}
	return false;
}

/*
 * An exception that is somebody's fault: the program's, or a routine's that is prepared for it. A
 * copy from or to a program is prepared for the program's addresses only.
 */
static bool trap_accident(struct trap_frame *frame)
{
	if (trap_from_user(frame))
		return user_handler && user_handler(frame);
	if (trap_in_uaccess(frame) && frame->value - USER_START >= USER_END - USER_START)
		return false;
	return trap_fixup(frame);
}

static bool trap_breakpoint(struct trap_frame *frame)
{
	return breakpoint_handler ? breakpoint_handler(frame) : trap_accident(frame);
}

static bool trap_page(struct trap_frame *frame)
{
	return (IS_ENABLED(CONFIG_MM) && page_fault(frame)) || trap_accident(frame);
}

static bool trap_timer(struct trap_frame *frame)
{
	(void)frame;
	timer_interrupt();
	return true;
}

/* What the timer did shows in what happens to tasks; devices have an event of their own. */
static bool trap_external(struct trap_frame *frame)
{
	struct pcpu *cpu = this_cpu();
	u64 began = time_ticks();

	(void)frame;
	latency_irq_off(cpu);
	lockdep_interrupt_begin();
	irq_external();
	lockdep_interrupt_end();
	trace(began, TRACE_IRQ, TRAP_EXTERNAL, (u32)(time_ticks() - began));
	preempt_pause(cpu);
	preempt_interrupt_end(cpu);
	return true;
}

/* The end of an exception where a switch is due, if the code had interrupts on. */
void trap_preempt(struct trap_frame *frame)
{
	if (!IS_ENABLED(CONFIG_SCHED) || !(frame->status & SSTATUS_SPIE))
		return;
	latency_irq_off(this_cpu());
	preempt_interrupt_end(this_cpu());
}

/* Another hart wants something. */
static bool trap_software(struct trap_frame *frame)
{
	struct pcpu *cpu = this_cpu();
	u64 began = time_ticks();

	if (!IS_ENABLED(CONFIG_SMP))
		return false;
	latency_irq_off(cpu);
	lockdep_interrupt_begin();
	ipi_interrupt(frame);
	lockdep_interrupt_end();
	trace(began, TRACE_IRQ, TRAP_SOFTWARE, (u32)(time_ticks() - began));
	preempt_pause(cpu);
	preempt_interrupt_end(cpu);
	return true;
}

trap_handler *const trap_interrupt_handlers[TRAP_CODES] = {
	[TRAP_SOFTWARE] = trap_software,
	[TRAP_TIMER] = trap_timer,
	[TRAP_EXTERNAL] = trap_external,
};

trap_handler *const trap_exception_handlers[TRAP_CODES] = {
	[TRAP_FETCH_MISALIGNED] = trap_accident,
	[TRAP_FETCH_ACCESS] = trap_accident,
	[TRAP_ILLEGAL] = trap_accident,
	[TRAP_BREAKPOINT] = trap_breakpoint,
	[TRAP_LOAD_MISALIGNED] = trap_accident,
	[TRAP_LOAD_ACCESS] = trap_accident,
	[TRAP_STORE_MISALIGNED] = trap_accident,
	[TRAP_STORE_ACCESS] = trap_accident,
	[TRAP_USER_CALL] = trap_accident,
	[TRAP_FETCH_PAGE] = trap_page,
	[TRAP_LOAD_PAGE] = trap_page,
	[TRAP_STORE_PAGE] = trap_page,
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

/* The guard page below the stack in use. */
static bool in_guard(uptr address)
{
	return this_cpu()->arch.stack_base - address - 1 < STACK_GUARD;
}

void trap_fault(struct trap_frame *frame)
{
	struct str name = trap_cause_name(frame);

	if (IS_ENABLED(CONFIG_MM) && frame->cause == TRAP_STORE_PAGE && in_guard(frame->value))
		trap_stack_overflow(frame);

	panic_at(frame, "%.*s (cause %lu, address 0x%lx) in %s mode", STR_ARG(name),
		 frame->cause & ~SCAUSE_INTERRUPT, frame->value,
		 trap_from_user(frame) ? "user" : "kernel");
}

void trap_stack_overflow(struct trap_frame *frame)
{
	panic_at(frame, "stack overflow in task %.*s (sp 0x%lx)", STR_ARG(task_current_name()),
		 frame->sp);
}

void trap_init_hart(void)
{
	this_cpu()->arch.overflows = 0;
	csr_write(sscratch, 0);
	csr_write(stvec, trap_entry);
	/* devices when there is a controller: irq_set_chip */
	csr_write(sie, SIE_TIMER | (IS_ENABLED(CONFIG_SMP) ? SIE_SOFTWARE : 0));
}

void trap_init(void)
{
	struct arch_pcpu *arch = &this_cpu()->arch;

	arch->stack_base = (uptr)boot_stack + STACK_GUARD;
	arch->emergency_base = (uptr)emergency_stack + STACK_GUARD;
	trap_init_hart();
}
