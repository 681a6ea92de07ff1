/*
 * What the device tree said, for people: the machine in a few lines, each device as a detail, and a
 * line for everything that is not as it should be.
 *
 * devtree.c reads the tree before anything can be printed; this is called as soon as it can.
 */
#include <mazu/board.h>
#include <mazu/printk.h>

static void report_ranges(const char *what, const struct board_ranges *ranges)
{
	for (u32 i = 0; i < ranges->count; i++)
		pr_info("%s: 0x%lx..0x%lx, %lu KiB", what, ranges->at[i].base,
			ranges->at[i].base + ranges->at[i].size - 1, ranges->at[i].size >> 10);
	if (ranges->ignored)
		pr_warn("%s: %u more ranges ignored", what, ranges->ignored);
}

static void report_device(const char *name, const struct board_device *device)
{
	if (device->present)
		pr_debug("devtree: %s at 0x%lx, irq %u", name, device->reg.base, device->irq);
	else
		pr_warn("devtree: no %s", name);
}

static void report_problems(void)
{
	if (!str_is_empty(board.problem))
		pr_err("devtree: at 0x%lx + %zu: %.*s; assuming QEMU's virt machine",
		       board.tree.base, board.problem_offset, STR_ARG(board.problem));
	if (board.boot_hart_unknown)
		pr_warn("devtree: hart %lu, which we run on, is not in the tree",
			board.harts[0].id);
	if (board.harts_ignored)
		pr_warn("devtree: %u more than CONFIG_CPU_MAX=%d harts, ignored",
			board.harts_ignored, CONFIG_CPU_MAX);
	if (board.timebase_assumed)
		pr_warn("devtree: no credible timebase-frequency, assuming %lu Hz",
			board.timebase_hz);
}

void devtree_report(void)
{
	pr_info("machine: %.*s, %u hart%s", STR_ARG(board.model), board.hart_count,
		board.hart_count == 1 ? "" : "s");
	report_problems();
	report_ranges("memory", &board.memory);
	report_ranges("reserved", &board.reserved);
	report_device("UART", &board.uart);
	report_device("PLIC", &board.plic);
	report_device("RTC", &board.rtc);
	report_device("test device", &board.test);
}
