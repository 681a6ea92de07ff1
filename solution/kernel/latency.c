/*
 * Waits that are not short: see latency.h.
 */
#include <arch/cpu.h>
#include <mazu/latency.h>
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

enum error latency_read(u32 hart, struct latency *latency)
{
	bool irqs;

	if (hart >= CONFIG_CPU_MAX)
		return ERR_RANGE;
	irqs = arch_irq_save();
	*latency = latencies[hart];
	arch_irq_restore(irqs);
	return OK;
}

void latency_reset(void)
{
	for (u32 i = 0; i < CONFIG_CPU_MAX; i++) {
		bool irqs = arch_irq_save();

		latencies[i] = (struct latency){ 0 };
		arch_irq_restore(irqs);
	}
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
