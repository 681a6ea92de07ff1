/*
 * Which timer this hart has: see timer.h.
 */
#include <arch/timer.h>
#include <mazu/board.h>
#include <mazu/explore.h>
#include <mazu/init.h>
#include <mazu/printk.h>
#include <mazu/time.h>

struct str arch_timer_name(void)
{
	return this_cpu()->arch.has_sstc ? STR("sstc") : STR("sbi");
}

void timer_init_hart(void)
{
	const struct board_hart *hart = board_hart(this_cpu()->hart_id);

	this_cpu()->arch.has_sstc = hart && hart->sstc;
	if (IS_ENABLED(CONFIG_EXPLORE))
		explore_init_hart();
	timer_never();
}

static void timer_init(void)
{
	timer_init_hart();
	pr_debug("timer: %.*s, %lu Hz", STR_ARG(arch_timer_name()), board.timebase_hz);
}
INIT_HOOK(CORE, timer_init);
