/*
 * The commands of this stage: looking at what the kernel knows, and ending it.
 *
 * One function a command; each prints facts, one a line, and changes nothing but what its name
 * says.
 */
#include <mazu/board.h>
#include <mazu/init.h>
#include <mazu/irq.h>
#include <mazu/klog.h>
#include <mazu/power.h>
#include <mazu/shell.h>
#include <mazu/smp.h>
#include <mazu/time.h>

SHELL_COMMAND(echo, "[TEXT]", "print TEXT")
{
	shell_printf(sh, "%.*s\n", STR_ARG(arguments));
}

SHELL_COMMAND(uptime, "", "time since boot")
{
	u64 ns = time_now_ns();
	u64 s = ns / NS_PER_SECOND;

	shell_printf(sh, "up %lu days %02lu:%02lu:%02lu.%03lu\n", s / 86400, s / 3600 % 24,
		     s / 60 % 60, s % 60, ns / NS_PER_MS % 1000);
}

SHELL_COMMAND(time, "", "wall time, UTC; monotonic time; the timer")
{
	struct result_u64 wall = time_wall_ns();
	struct time_date d;
	u64 interrupts = 0;

	time_to_date(wall.value / NS_PER_SECOND, &d);
	if (wall.err)
		shell_printf(sh, "wall       unknown: no real-time clock\n");
	else
		shell_printf(sh, "wall       %04u-%02u-%02u %02u:%02u:%02u UTC\n", d.year, d.month,
			     d.day, d.hour, d.minute, d.second);
	for (u32 hart = 0; hart < board.hart_count; hart++)
		interrupts += timer_interrupts(hart);
	shell_printf(sh, "monotonic  %lu ns\n", time_now_ns());
	shell_printf(sh, "timer      %.*s, %lu Hz, %lu interrupts\n", STR_ARG(arch_timer_name()),
		     board.timebase_hz, interrupts);
}

SHELL_COMMAND(dmesg, "", "the kernel log")
{
	u8 bytes[PRINTK_LINE_MAX];
	struct byte_buf text = BYTE_BUF(bytes);
	struct klog_cursor cursor = { 0 };
	struct klog_line line;
	u64 expected = 0;

	for (; !klog_next(&cursor, &line, &text); expected = line.sequence + 1) {
		u64 us = line.time_ns / 1000;

		if (line.sequence != expected)
			shell_printf(sh, "... %lu lines lost ...\n", line.sequence - expected);
		shell_printf(sh, "[%5lu.%06lu] %u %.*s\n", us / 1000000, us % 1000000, line.level,
			     STR_ARG(line.text));
	}
}

static void irq_print(struct shell *sh, u32 irq)
{
	struct irq_statistics s;
	u64 total = 0;

	if (irq_statistics(irq, &s))
		return;
	for (u32 i = 0; i < CONFIG_CPU_MAX; i++)
		total += s.counts[i];
	if (str_is_empty(s.name) && total == 0)
		return;
	shell_printf(sh, "%3u  %-10.*s", irq, STR_ARG(s.name));
	for (u32 i = 0; i < board.hart_count; i++)
		shell_printf(sh, " %10lu", s.counts[i]);
	shell_printf(sh, "  harts 0x%lx  spurious %lu%s\n", s.affinity, s.spurious,
		     s.stopped ? "  stopped" : "");
}

static void irq_print_all(struct shell *sh)
{
	shell_printf(sh, "controller %.*s, %lu claims for nothing\n", STR_ARG(irq_chip_name()),
		     irq_spurious_claims());
	for (u32 irq = 1; irq < IRQ_COUNT; irq++)
		irq_print(sh, irq);
	shell_printf(sh, "     timer    ");
	for (u32 hart = 0; hart < board.hart_count; hart++)
		shell_printf(sh, " %10lu", timer_interrupts(hart));
	for (u32 hart = 0; IS_ENABLED(CONFIG_SMP) && hart < board.hart_count; hart++)
		shell_printf(sh, hart ? " %10lu" : "\n     other harts%9lu", ipi_count(hart));
	shell_printf(sh, "\n");
}

/* N HARTS: from now on one of these takes it. */
static void irq_steer(struct shell *sh, struct str arguments)
{
	struct result_u64 irq = str_to_u64(str_split_word(&arguments));
	struct result_u64 harts = str_to_u64(str_split_word(&arguments));
	enum error err;

	if (irq.err || harts.err || irq.value > UINT32_MAX || !str_is_empty(str_trim(arguments))) {
		shell_printf(sh, "usage: irq [NUMBER HARTS]\n");
		return;
	}
	err = irq_set_affinity((u32)irq.value, harts.value);
	if (err)
		shell_printf(sh, "irq: %.*s\n", STR_ARG(error_name(err)));
}

SHELL_COMMAND(
	irq, "[NUMBER HARTS]",
	"interrupts: who has them, how many came at each hart; steer one to HARTS (a bit each)")
{
	if (str_is_empty(arguments))
		irq_print_all(sh);
	else
		irq_steer(sh, arguments);
}

SHELL_COMMAND(init, "", "what was started, in order, and how long it took")
{
	static const char *const states[] = { "waiting", "done",    "failed",
					      "blocked", "missing", "cycle" };
	struct init_status status;

	for (size_t i = 0; !init_status(i, &status); i++) {
		shell_printf(sh, "%2zu  %-10.*s %-8s %6lu us  needs", i, STR_ARG(status.task->name),
			     states[status.state], status.took_ns / 1000);
		for (size_t d = 0; d < INIT_DEPENDENCIES_MAX; d++)
			if (status.task->dependencies[d].len)
				shell_printf(sh, " %.*s", STR_ARG(status.task->dependencies[d]));
		shell_printf(sh, "\n");
	}
}

SHELL_COMMAND(shutdown, "", "end QEMU with status 0")
{
	power_off(0);
}

SHELL_COMMAND(reboot, "", "start the machine again")
{
	power_reboot();
}
