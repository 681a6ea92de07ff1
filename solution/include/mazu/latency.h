/*
 * latency.h - how long the kernel made somebody wait: the longest, and how often how long.
 *
 * Three waits, in cycles, for each hart:
 *
 *	irq-off		from interrupts going off to their coming back: of locks, the scheduler and whole
 *			interrupts. Sections under a bare arch_irq_save() are straight lines of
 *			at most a hundred instructions, and are not timed.
 *	preempt-off	from preempt_disable() to the end of the outermost section
 *	wake-to-run	from the moment a task is ready to its first instruction
 *
 * The usual wait is short and costs a handful of instructions. Interrupts are off for a moment all the time:
 * such sections below 512 cycles are not even counted. Configured out (CONFIG_LATENCY) nothing is left.
 */
#ifndef MAZU_LATENCY_H
#define MAZU_LATENCY_H

#include <arch/cpu.h>
#include <mazu/config.h>
#include <mazu/error.h>
#include <mazu/pcpu.h>
#include <mazu/types.h>

enum latency_kind { LATENCY_IRQ_OFF, LATENCY_PREEMPT_OFF, LATENCY_WAKE_TO_RUN, LATENCY_KINDS };

/* Bin 0: below 512 cycles; bin n: below 512 << n; the last: all the rest. */
#define LATENCY_BINS 16
#define LATENCY_BIN_SHIFT 9

struct latency_histogram {
	u64 max;    /* of those in bin 1 and above */
	uptr where; /* the code that ended it */
	u64 bins[LATENCY_BINS];
};

/* Per hart, interrupts off. */
struct latency {
	struct latency_histogram kinds[LATENCY_KINDS];
} __per_hart;

/* What took 512 cycles or more. Interrupts off. */
void latency_record_long(struct latency_histogram *histogram, u64 cycles);

static inline void latency_record(struct pcpu *cpu, enum latency_kind kind, u64 cycles)
{
	struct latency_histogram *histogram = &cpu->latency->kinds[kind];

	if (likely(cycles < 1UL << LATENCY_BIN_SHIFT))
		histogram->bins[0]++;
	else
		latency_record_long(histogram, cycles);
}

/* Interrupts have just gone off, after being on. */
static inline void latency_irq_off(struct pcpu *cpu)
{
	if (IS_ENABLED(CONFIG_LATENCY))
		cpu->irq_off_since = arch_cycles();
}

/* Interrupts are about to come on. */
static inline void latency_irq_on(struct pcpu *cpu)
{
	if (IS_ENABLED(CONFIG_LATENCY)) {
		u64 cycles = arch_cycles() - cpu->irq_off_since;

		if (unlikely(cycles >= 1UL << LATENCY_BIN_SHIFT))
			latency_record_long(&cpu->latency->kinds[LATENCY_IRQ_OFF], cycles);
	}
}

/* Preemption has just gone off, after being on. */
static inline void latency_preempt_off(struct pcpu *cpu)
{
	if (IS_ENABLED(CONFIG_LATENCY))
		cpu->preempt_off_since = arch_cycles();
}

/* How long it has been off. */
static inline u64 latency_preempt_took(const struct pcpu *cpu)
{
	return IS_ENABLED(CONFIG_LATENCY) ? arch_cycles() - cpu->preempt_off_since : 0;
}

void latency_preempt_long(u64 cycles);

/* It is on again, after so long. Perhaps on another hart already: then that one counts it. */
static inline void latency_preempt_on(u64 cycles)
{
	if (IS_ENABLED(CONFIG_LATENCY) && unlikely(cycles >= 1UL << LATENCY_BIN_SHIFT))
		latency_preempt_long(cycles);
}

/* Where this hart counts. Before its first lock. */
extern struct latency latencies[];
static inline void latency_begin(struct pcpu *cpu)
{
	if (IS_ENABLED(CONFIG_LATENCY))
		cpu->latency = &latencies[cpu->index];
}

/* A copy, and all harts' begun again; interrupts on, no lock held. ERR_RANGE: there is no such hart, or it is not online. */
enum error __must_check latency_read(u32 hart, struct latency *latency);
void latency_reset(void);
struct str latency_kind_name(enum latency_kind kind);

#endif
