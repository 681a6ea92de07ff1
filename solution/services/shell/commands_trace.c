/*
 * trace: the event ring, for people and for tools/trace.
 *
 * While events are printed none are written: printing is work, too, and would push out what it is about.
 */
#include <mazu/board.h>
#include <mazu/bytes.h>
#include <mazu/fmt.h>
#include <mazu/sched.h>
#include <mazu/shell.h>
#include <mazu/task.h>
#include <mazu/time.h>
#include <mazu/trace.h>

static const struct {
	const char *name, *of;
	const char *extras[6];
} types[TRACE_TYPES] = {
	[TRACE_NONE] = { "begin", "task", { 0 } },
	[TRACE_READY] = { "ready", "task", { "", "woken", "released", "new" } },
	[TRACE_SWITCH] = { "runs", "task", { 0 } },
	[TRACE_BLOCK] = { "waits", "task", { "", "parked", "asleep", "held", "ended", "period" } },
	[TRACE_IRQ] = { "irq", "code", { 0 } },
	[TRACE_SYSCALL] = { "syscall", "task", { 0 } },
	[TRACE_DEADLINE] = { "job",
			     "task",
			     { "released", "missed", "overrun", "refilled", "done" } },
	[TRACE_DOMAIN] = { "domain", "domain", { "exhausted", "refilled" } },
	[TRACE_MODE] = { "mode", "task", { "LO", "HI" } },
	[TRACE_LOCK] = { "lock", "rank", { "contended", "obtained" } },
	[TRACE_MARK] = { "mark", "task", { 0 } },
	[TRACE_TASK] = { "created", "task", { 0 } },
	[TRACE_WATCHDOG] = { "starved", "task", { 0 } },
};

/* ---- For people ---- */

static void put_extra(struct byte_buf *row, const struct trace_event *event)
{
	const char *name = NULL;

	if (event->type < TRACE_TYPES && event->extra < ARRAY_SIZE(types[0].extras))
		name = types[event->type].extras[event->extra];
	if (event->type == TRACE_TASK)
		fmt(row, " %.*s", STR_ARG(sched_policy_name(event->extra)));
	else if (name)
		fmt(row, " %s", name);
	else if (event->extra)
		fmt(row, " %u", event->extra);
}

static void event_print(struct shell *sh, u32 hart, const struct trace_event *event)
{
	u8 text[100];
	struct byte_buf row = BYTE_BUF(text);
	u64 ns = time_ns_at(event->ticks);
	bool known = event->type < TRACE_TYPES;

	fmt(&row, "%5lu.%07lu  %u  %-8s %-6s %3u", ns / NS_PER_SECOND, ns % NS_PER_SECOND / 100,
	    hart, known ? types[event->type].name : "?", known ? types[event->type].of : "",
	    event->id);
	put_extra(&row, event);
	shell_printf(sh, "%.*s\n", STR_ARG(byte_buf_to_str(&row)));
}

/* ---- For tools/trace, which knows these lines (solution/tools/trace/events.py) ---- */

static void dump_event(struct shell *sh, u32 hart, const struct trace_event *event)
{
	shell_printf(sh, "@event %u %lu %u %u %u\n", hart, event->ticks, event->type, event->id,
		     event->extra);
}

static void dump_tasks(struct shell *sh)
{
	struct task_info i;

	for (u32 after = 0; !task_info_next(after, &i); after = i.id)
		shell_printf(sh, "@task %u %u %u %lu %lu %lu %.*s\n", i.id, i.params.policy,
			     i.params.priority, i.params.runtime_ns,
			     i.params.deadline_ns ? i.params.deadline_ns : i.params.period_ns,
			     i.params.period_ns, (int)i.name_len, (const char *)i.name);
}

static void dump_begin(struct shell *sh)
{
	u64 ticks = time_ticks();

	shell_printf(sh, "@trace 1 %lu %lu %lu\n", board.timebase_hz, ticks, time_ns_at(ticks));
	dump_tasks(sh);
}

/* ---- The command ---- */

static u64 count_all(void)
{
	u64 count = 0;

	for (u32 hart = 0; hart < CONFIG_CPU_MAX; hart++)
		count += trace_count(hart);
	return count;
}

/* The last `count`, of all harts by time; returns how many there were. */
static u64 print_last(struct shell *sh, u64 count,
		      void (*print)(struct shell *, u32, const struct trace_event *))
{
	struct trace_cursor cursor = { { 0 } };
	u64 all = count_all(), printed = 0;
	struct trace_event event;
	u32 hart;

	for (u64 i = 0; i < all && !trace_read_merged(&cursor, &hart, &event); i++)
		if (all - i <= count) {
			print(sh, hart, &event);
			printed++;
		}
	return printed;
}

static void trace_dump(struct shell *sh)
{
	dump_begin(sh);
	shell_printf(sh, "@end %lu\n", print_last(sh, UINT64_MAX, dump_event));
}

/* With the rings standing still; then they go on if they did before. */
static void trace_print(struct shell *sh, struct str what)
{
	struct result_u64 count = str_to_u64(what);
	bool was_on = trace_is_on();

	trace_set(false);
	if (str_eq(what, STR("dump")))
		trace_dump(sh);
	else if (!count.err)
		print_last(sh, count.value, event_print);
	else
		shell_printf(sh, "usage: trace [on|off|clear|dump|N]\n");
	if (was_on)
		trace_set(true);
}

static void trace_state(struct shell *sh)
{
	shell_printf(sh, "%s", trace_is_on() ? "on" : "off");
	for (u32 hart = 0; hart < CONFIG_CPU_MAX; hart++)
		if (trace_count(hart))
			shell_printf(sh, ", hart %u has %lu events", hart, trace_count(hart));
	shell_printf(sh, " (of at most %u)\n", TRACE_SIZE);
}

SHELL_COMMAND(trace, "[WHAT]",
	      "events; WHAT: on, off, clear, dump (for tools/trace), or how many to print")
{
	if (str_is_empty(arguments))
		trace_state(sh);
	else if (str_eq(arguments, STR("on")) || str_eq(arguments, STR("off")))
		trace_set(str_eq(arguments, STR("on")));
	else if (str_eq(arguments, STR("clear")))
		trace_clear();
	else
		trace_print(sh, arguments);
}
