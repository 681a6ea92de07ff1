/*
 * Traps, names for addresses, and the way back up the stack.
 */
#include <arch/backtrace.h>
#include <arch/cpu.h>
#include <arch/trap.h>
#include <mazu/selftest.h>
#include <mazu/symbols.h>

static struct trap_frame seen;

static bool see(struct trap_frame *frame)
{
	seen = *frame;
	frame->pc += 4;
	return true;
}

extern void trap_registers_probe(u64 after[32]); /* trap_registers.S */

/* All but pc, sp and gp, which the way back needs. */
static bool is_free(size_t number)
{
	return number == 1 || number >= 4;
}

/* What a handler writes to the frame is what the code goes on with. */
static bool see_and_change(struct trap_frame *frame)
{
	for (size_t i = 0; i < 32; i++)
		if (is_free(i))
			((u64 *)frame)[i] += 1000;
	seen = *frame;
	frame->pc += 4;
	return true;
}

SELFTEST(trap_keeps_registers, "a handler sees every register, and each comes from its frame again")
{
	u64 after[32];

	trap_set_breakpoint(see_and_change);
	trap_registers_probe(after);
	trap_set_breakpoint(NULL);
	for (size_t i = 0; i < ARRAY_SIZE(after); i++) {
		if (!is_free(i))
			continue;
		CHECK_EQ(t, ((const u64 *)&seen)[i], 2000 + i);
		CHECK_EQ(t, after[i], 2000 + i);
	}
	CHECK_EQ(t, seen.cause, TRAP_BREAKPOINT);
	CHECK(t, !trap_from_user(&seen));
}

SELFTEST(trap_keeps_interrupt_state, "interrupts are off in a handler and as before behind it")
{
	trap_set_breakpoint(see);
	arch_breakpoint();
	CHECK(t, arch_irq_enabled());

	bool irqs = arch_irq_save();

	arch_breakpoint();
	CHECK(t, !arch_irq_enabled());
	arch_irq_restore(irqs);
	trap_set_breakpoint(NULL);
}

SELFTEST(arch_readable_tells, "memory is readable, a hole in the address space is not")
{
	extern char _text_start[], _kernel_end[];

	CHECK(t, arch_readable((uptr)_text_start, (size_t)(_kernel_end - _text_start)));
	CHECK(t, arch_readable(0x3000000000, 0));
	CHECK(t, !arch_readable(0x3000000000, 1));
	CHECK(t, !arch_readable(0x3000000000 - 8, 9));
	CHECK(t, !arch_readable((uptr)_kernel_end, SIZE_MAX));
}

SELFTEST(symbols_name_functions, "an address in a function has its name and offset, others none")
{
	extern char _text_end[];
	struct symbol first = symbol_find((uptr)symbol_find);
	struct symbol inside = symbol_find((uptr)symbol_find + 6);

	CHECK_STR_EQ(t, first.name, STR("symbol_find"));
	CHECK_EQ(t, first.offset, 0);
	CHECK_STR_EQ(t, inside.name, STR("symbol_find"));
	CHECK_EQ(t, inside.offset, 6);
	CHECK_STR_EQ(t, symbol_find(0).name, STR(""));
	CHECK_STR_EQ(t, symbol_find((uptr)_text_end).name, STR(""));
	CHECK_STR_EQ(t, symbol_find(UINT64_MAX).name, STR(""));
}

static bool climbed_to(struct backtrace trace, struct str name)
{
	for (u32 i = 0; i < 32 && trace.pc; i++, backtrace_next(&trace))
		if (str_eq(symbol_find_return(trace.pc).name, name))
			return true;
	return false;
}

SELFTEST(backtrace_finds_callers, "a backtrace leads to the part of the boot that runs the tests")
{
	struct backtrace trace;

	backtrace_start(&trace, NULL);
	CHECK_STR_EQ(t, symbol_find_return(trace.pc).name, STR("selftest_backtrace_finds_callers"));
	CHECK(t, climbed_to(trace, STR("init_run_hooks")));
}

static bool reached_dispatch, reached_boot;

static bool trace_from_handler(struct trap_frame *frame)
{
	struct backtrace trace;

	backtrace_start(&trace, NULL);
	reached_dispatch = climbed_to(trace, STR("trap_dispatch"));
	reached_boot = climbed_to(trace, STR("init_run_hooks"));
	frame->pc += 4;
	return true;
}

SELFTEST(backtrace_crosses_traps, "a backtrace from a trap handler goes on in the interrupted code")
{
	trap_set_breakpoint(trace_from_handler);
	arch_breakpoint();
	trap_set_breakpoint(NULL);
	CHECK(t, reached_dispatch);
	CHECK(t, reached_boot);
}
