/*
 * Walking the stack by frame pointers.
 *
 * With -fno-omit-frame-pointer each function that calls others keeps, just below the address in
 * fp, its return address (fp - 8) and its caller's fp (fp - 16). A chain of frames climbs a
 * stack, so each fp must be larger than the one before and lie on a kernel stack; anything else
 * ends the walk. That makes the walk safe on a stack that the very fault in question has damaged.
 *
 * Code that a trap interrupted may be without such a frame: a leaf keeps its return address in
 * the register ra and at fp - 8 only its caller's fp, and at the very start of a function, or
 * after a call of a bad pointer, fp is still the caller's. In all three cases ra leads
 * into another function and is not what fp - 8 holds.
 *
 * Trap entry leaves fp alone, so the chain leads through an interrupt into the code it
 * interrupted. There the return address is trap_return, and the trap frame, which begins where
 * trap_dispatch's frame ends, says where that code was.
 *
 * Source: RISC-V ELF psABI 1.0, frame pointer convention; GCC's frame layout for riscv64.
 */
#include <arch/backtrace.h>
#include <arch/cpu.h>
#include <arch/layout.h>
#include <arch/trap.h>
#include <mazu/pcpu.h>
#include <mazu/symbols.h>

extern char trap_return[];

/* A frame's two words lie below fp, so fp may be the stack's upper end. */
static bool on_stack_from(uptr fp, uptr lowest, uptr base)
{
	return fp % 8 == 0 && fp >= lowest + 16 && fp <= base + STACK_BYTES;
}

/*
 * The stack in use, or the one that it replaced after an overflow, which reached below its base
 * unless a guard page stood there.
 */
static bool on_stack(uptr fp)
{
	const struct arch_pcpu *arch = &this_cpu()->arch;

	if (on_stack_from(fp, arch->stack_base, arch->stack_base))
		return true;
	return arch->overflows &&
	       on_stack_from(fp, MIN(arch->trap_sp, arch->overflowed_base),
			     arch->overflowed_base) &&
	       arch_readable(fp - 16, 16);
}

static bool same_function(uptr pc, uptr ra)
{
	return symbol_find(pc).name.data == symbol_find_return(ra).name.data;
}

static struct backtrace backtrace_of_frame(const struct trap_frame *frame)
{
	return (struct backtrace){
		.pc = frame->pc,
		.fp = frame->fp,
		.ra = frame->ra,
		.interrupted = true,
	};
}

void backtrace_start(struct backtrace *trace, const struct trap_frame *frame)
{
	if (frame) {
		*trace = backtrace_of_frame(frame);
	} else {
		*trace = (struct backtrace){ .fp = arch_frame_pointer() };
		backtrace_next(trace);
	}
}

/* The caller of interrupted code whose return address is still in its register. */
static bool caller_is_in_ra(const struct backtrace *trace, uptr saved)
{
	return trace->interrupted && trace->ra != saved && symbol_is_text(trace->ra) &&
	       !(symbol_is_text(trace->pc) && same_function(trace->pc, trace->ra));
}

void backtrace_next(struct backtrace *trace)
{
	const struct backtrace here = *trace;

	*trace = (struct backtrace){ 0 };
	if (!on_stack(here.fp))
		return;

	uptr saved = ((const u64 *)here.fp)[-1], caller_fp = ((const u64 *)here.fp)[-2];

	if (caller_is_in_ra(&here, saved))
		*trace = (struct backtrace){ .pc = here.ra,
					     .fp = symbol_is_text(saved) ? here.fp : saved };
	else if (saved == (uptr)trap_return && on_stack(here.fp + FRAME_SIZE))
		*trace = backtrace_of_frame((const struct trap_frame *)here.fp);
	else if (symbol_is_text(saved) && (caller_fp > here.fp || caller_fp == 0))
		*trace = (struct backtrace){ .pc = saved, .fp = caller_fp };
}
