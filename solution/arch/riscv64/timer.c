/*
 * The hart's timer: a compare register of our own where there is one (Sstc), the firmware
 * otherwise, which costs some 400 instructions a call.
 *
 * Source: Sstc extension 1.0; SBI 1.0, timer extension.
 */
#include <arch/csr.h>
#include <arch/sbi.h>
#include <mazu/board.h>
#include <mazu/init.h>
#include <mazu/pcpu.h>
#include <mazu/printk.h>
#include <mazu/time.h>

static void sstc_set(u64 deadline_ticks)
{
	csr_write(CSR_STIMECMP, deadline_ticks);
}

static const struct timer_ops sstc_timer = { STR("sstc"), sstc_set };
static const struct timer_ops sbi_timer = { STR("sbi"), sbi_set_timer };

static void timer_init(void)
{
	const struct board_hart *hart = board_hart(this_cpu()->hart_id);

	timer_set_ops(hart && hart->sstc ? &sstc_timer : &sbi_timer);
	pr_debug("timer: %.*s, %lu Hz", STR_ARG(timer_name()), board.timebase_hz);
}
INIT_HOOK(CORE, timer_init);
