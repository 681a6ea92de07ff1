/*
 * Waits that are not short: see latency.h. Histograms are their hart's alone: others have it copy or reset them.
 */
#include <arch/cpu.h>
#include <mazu/latency.h>
#include <mazu/smp.h>
#include <mazu/str.h>

struct latency latencies[CONFIG_CPU_MAX]; /* each its hart's, interrupts off */

static void record(struct latency_histogram *histogram, u64 cycles, uptr where)
{
	u32 bin = 1;

	if (cycles > histogram->max) {
		histogram->max = cycles;
		histogram->where = where;
	}
	while (bin < LATENCY_BINS - 1 && cycles >> (LATENCY_BIN_SHIFT + bin))
		bin++;
	histogram->bins[bin]++;
}

void latency_record_long(struct latency_histogram *histogram, u64 cycles)
{
	record(histogram, cycles, (uptr)__builtin_return_address(0));
}

void latency_preempt_long(u64 cycles)
{
	bool irqs = arch_irq_save();

	record(&this_cpu()->latency->kinds[LATENCY_PREEMPT_OFF], cycles,
	       (uptr)__builtin_return_address(0));
	arch_irq_restore(irqs);
}

static void copy_here(void *copy)
{
	*(struct latency *)copy = latencies[this_cpu()->index];
}

enum error latency_read(u32 hart, struct latency *latency)
{
	if (hart >= CONFIG_CPU_MAX || !(harts_online() & hart_bit(hart)))
		return ERR_RANGE;
	on_harts(hart_bit(hart), copy_here, latency);
	return OK;
}

static void reset_here(void *unused)
{
	(void)unused;
	latencies[this_cpu()->index] = (struct latency){ 0 };
}

void latency_reset(void)
{
	on_harts(harts_online(), reset_here, NULL);
}

struct str latency_kind_name(enum latency_kind kind)
{
	static const struct str names[LATENCY_KINDS] = {
		[LATENCY_IRQ_OFF] = STR("irq-off"),
		[LATENCY_PREEMPT_OFF] = STR("preempt-off"),
		[LATENCY_WAKE_TO_RUN] = STR("wake-to-run"),
	};

	return kind < LATENCY_KINDS ? names[kind] : STR("?");
}
