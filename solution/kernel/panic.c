/*
 * Panic: the last message of a kernel that cannot go on.
 *
 * One line that begins with PANIC says why; then, where they are known, registers, and in any
 * case the backtrace by name; then the machine stops with a status that a script can see. From the
 * first line on the console is driven by polling, and locks no longer count.
 *
 * A panic while panicking means that the report itself is broken: one more line, and stop.
 */
#include <arch/backtrace.h>
#include <arch/cpu.h>
#include <arch/trap.h>
#include <mazu/bytes.h>
#include <mazu/console.h>
#include <mazu/fmt.h>
#include <mazu/panic.h>
#include <mazu/pcpu.h>
#include <mazu/power.h>
#include <mazu/printk.h>
#include <mazu/smp.h>
#include <mazu/symbols.h>
#include <mazu/task.h>

/* A backtrace longer than both together loses its middle. */
#define TRACE_HEAD 16U
#define TRACE_TAIL 8U

/* A stack of STACK_SIZE and what an overflow may run through hold fewer frames than this. */
#define TRACE_STEPS_MAX 300000

static u32 panics;	      /* the hart that panics: how many have begun */
static void (*explain)(void); /* the hart that panics; NULL: there is no more to say */
static u32 panic_hart;	      /* its index plus 1; 0: nobody panics */

bool panic_in_progress(void)
{
	return READ_ONCE(panic_hart) != 0;
}

void panic_explain(void (*print)(void))
{
	explain = print;
}

bool panic_is_mine(void)
{
	return READ_ONCE(panic_hart) == this_cpu()->index + 1;
}

/* Whose fault it is: code that a trap interrupted, or a call of panic. */
struct culprit {
	const struct trap_frame *frame; /* NULL: there was no trap */
	uptr caller;			/* without one: where panic was called from */
};

/* ---- The backtrace ---- */

struct trace_line {
	uptr pc;
	struct symbol symbol;
	u32 times; /* in a row */
};

static void trace_print(const struct trace_line *line)
{
	if (str_is_empty(line->symbol.name))
		pr_panic("  0x%016lx ?", line->pc);
	else if (line->times > 1)
		pr_panic("  0x%016lx %.*s+0x%lx (%u times)", line->pc, STR_ARG(line->symbol.name),
			 line->symbol.offset, line->times);
	else
		pr_panic("  0x%016lx %.*s+0x%lx", line->pc, STR_ARG(line->symbol.name),
			 line->symbol.offset);
}

/* One line for each run of equal addresses, so that a recursion does not hide who began it. */
static struct trace_line trace_take(struct backtrace *trace, u32 *steps)
{
	struct trace_line line = {
		.pc = trace->pc,
		.symbol = trace->interrupted ? symbol_find(trace->pc)
					     : symbol_find_return(trace->pc),
	};

	do {
		line.times++;
		backtrace_next(trace);
	} while (trace->pc == line.pc && ++*steps < TRACE_STEPS_MAX);
	return line;
}

/* Leaves out our own functions, if the stack is sound enough to tell which they are. */
static void trace_begin(struct backtrace *trace, const struct culprit *culprit)
{
	backtrace_start(trace, culprit->frame);
	if (culprit->frame)
		return;
	for (u32 i = 0; i < TRACE_HEAD && trace->pc != culprit->caller; i++)
		backtrace_next(trace);
	if (!trace->pc)
		backtrace_start(trace, NULL);
}

static void backtrace_print(const struct culprit *culprit)
{
	struct backtrace trace;
	struct trace_line tail[TRACE_TAIL];
	u32 lines = 0, steps = 0;

	pr_panic("backtrace:");
	trace_begin(&trace, culprit);
	for (; (trace.pc || lines == 0) && ++steps < TRACE_STEPS_MAX; lines++) {
		struct trace_line line = trace_take(&trace, &steps);

		if (lines < TRACE_HEAD)
			trace_print(&line);
		else
			tail[lines % TRACE_TAIL] = line;
	}
	if (lines > TRACE_HEAD + TRACE_TAIL)
		pr_panic("  ... %u more ...", lines - TRACE_HEAD - TRACE_TAIL);
	for (u32 i = MAX(lines, TRACE_HEAD + TRACE_TAIL) - TRACE_TAIL; i < lines; i++)
		trace_print(&tail[i % TRACE_TAIL]);
}

/* ---- Registers ---- */

static void registers_print(const struct trap_frame *frame)
{
	static const char names[][4] = { "pc", "ra", "sp",  "gp",  "tp", "t0", "t1", "t2",
					 "fp", "s1", "a0",  "a1",  "a2", "a3", "a4", "a5",
					 "a6", "a7", "s2",  "s3",  "s4", "s5", "s6", "s7",
					 "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6" };
	const u64 *values = (const u64 *)frame;

	for (size_t i = 0; i < ARRAY_SIZE(names); i += 4)
		pr_panic("  %3s %016lx %3s %016lx %3s %016lx %3s %016lx", names[i], values[i],
			 names[i + 1], values[i + 1], names[i + 2], values[i + 2], names[i + 3],
			 values[i + 3]);
	pr_panic("  status %016lx cause %016lx value %016lx", frame->status, frame->cause,
		 frame->value);
}

/* ---- The other harts: where they were when they stopped ---- */

static void others_print(void)
{
	for_each_hart(hart, harts_other())
	{
		const struct pcpu *cpu = &pcpus[hart];
		bool stopped = atomic_load_acquire(&cpu->stopped); /* pairs with hart_stop() */
		struct culprit culprit = { .frame = stopped ? cpu->stopped_frame : NULL };

		pr_panic("hart %lu, task %.*s%s", cpu->hart_id,
			 STR_ARG(cpu->current ? task_name(cpu->current) : STR("none")),
			 stopped ? "" : ": did not stop");
		if (culprit.frame)
			backtrace_print(&culprit);
	}
}

/* ---- The end ---- */

static __noreturn void panic_stop(void)
{
	power_off(PANIC_EXIT_STATUS);
}

/* " at f+0x12", or for a jump into nowhere " called from f+0x12". */
static void culprit_append(const struct culprit *culprit, struct byte_buf *buf)
{
	const struct trap_frame *frame = culprit->frame;
	bool lost = frame && !symbol_is_text(frame->pc);
	struct symbol symbol = frame && !lost
				       ? symbol_find(frame->pc)
				       : symbol_find_return(frame ? frame->ra : culprit->caller);

	if (!str_is_empty(symbol.name))
		fmt(buf, " %s %.*s+0x%lx", lost ? "called from" : "at", STR_ARG(symbol.name),
		    symbol.offset);
}

static __printf(3, 0) void panic_first_line(const struct culprit *culprit, const char *prefix,
					    const char *format, va_list args)
{
	u8 text[PRINTK_LINE_MAX];
	struct byte_buf buf = BYTE_BUF(text);

	fmt_v(&buf, format, args);
	culprit_append(culprit, &buf);
	pr_panic("%s%.*s", prefix, STR_ARG(byte_buf_to_str(&buf)));
}

/* Comes back on one hart only, and there for each panic. The others stop, those that panic, too. */
static void panic_begin(const struct trap_frame *frame)
{
	if (IS_ENABLED(CONFIG_SMP) && !panic_is_mine() && !harts_stop_others())
		hart_stop(frame);
	WRITE_ONCE(panic_hart, this_cpu()->index + 1);
	panics++;
}

static __noreturn __printf(2, 0) void panic_report(const struct culprit *culprit,
						   const char *format, va_list args)
{
	arch_irq_save();
	panic_begin(culprit->frame);
	if (panics == 2)
		panic_first_line(culprit, "PANIC: panic inside a panic: ", format, args);
	if (panics > 1)
		panic_stop();
	panic_first_line(culprit, "PANIC: ", format, args);
	if (explain)
		explain();
	pr_panic("hart %lu, task %.*s", this_cpu()->hart_id, STR_ARG(task_current_name()));
	if (culprit->frame)
		registers_print(culprit->frame);
	backtrace_print(culprit);
	if (IS_ENABLED(CONFIG_SMP))
		others_print();
	panic_stop();
}

void panic(const char *format, ...)
{
	struct culprit culprit = { .caller = (uptr)__builtin_return_address(0) };
	va_list args;

	va_start(args, format);
	panic_report(&culprit, format, args);
}

void panic_from(uptr caller, const char *format, ...)
{
	struct culprit culprit = { .caller = caller };
	va_list args;

	va_start(args, format);
	panic_report(&culprit, format, args);
}

void panic_at(const struct trap_frame *frame, const char *format, ...)
{
	struct culprit culprit = { .frame = frame };
	va_list args;

	va_start(args, format);
	panic_report(&culprit, format, args);
}
