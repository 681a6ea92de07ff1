/*
 * preempt.h - when a task may lose its hart.
 *
 * The kernel is preemptible at any instruction, but with interrupts off and between preempt_disable()
 * and preempt_enable(). One word of the hart says both whether it may switch and whether it
 * should, and it is the hart's first: its upper bits count the sections that forbid it, and its lowest bit is set as long as
 * nobody wants the hart. So it is 0 at exactly the moment when a switch is due: whoever makes it 0, and each end of a
 * trap, switches. Sections are counted by single instructions: an interrupt between reading and writing the word
 * might just then want the hart. An interrupts-off section of a lock ends with the same look (spinlock.h). A bare
 * arch_irq_save() does not: nothing in such a section may wake a task.
 */
#ifndef MAZU_PREEMPT_H
#define MAZU_PREEMPT_H

#include <arch/cpu.h>
#include <mazu/config.h>
#include <mazu/latency.h>
#include <mazu/pcpu.h>

#define PREEMPT_QUIET 1
#define PREEMPT_SECTION 2

/* Switches, unless interrupts are off: then whoever turns them on does. kernel/sched/sched.c. */
void preempt_now(void);

/* Switches, at the end of a trap: interrupts are off and stay so. May end the task. */
void preempt_trap(void);

/* A switch is due as soon as it is allowed. Interrupts off. */
static inline void preempt_want(struct pcpu *cpu)
{
	cpu->preempt &= ~(u32)PREEMPT_QUIET;
}

/* Nobody wants the hart any more. Interrupts off. */
static inline void preempt_quiet(struct pcpu *cpu)
{
	cpu->preempt |= PREEMPT_QUIET;
}

static inline bool preempt_is_due(const struct pcpu *cpu)
{
	return READ_ONCE(cpu->preempt) == 0;
}

/*
 * Between what may take long and the switch that is due: interrupts that are pending are heard, so that these are
 * two sections with interrupts off, not one. What comes in between does not switch; so a task is never in
 * more than two traps at once. Interrupts off, no lock held.
 */
static inline void preempt_pause(struct pcpu *cpu)
{
	if (!IS_ENABLED(CONFIG_SCHED) || !preempt_is_due(cpu))
		return;
	cpu->preempt += PREEMPT_SECTION;
	latency_irq_on(cpu);
	arch_irq_window();
	latency_irq_off(cpu);
	cpu->preempt -= PREEMPT_SECTION;
}

/* The end of an interrupt, which came where interrupts were on: switches if that is due. */
static inline void preempt_interrupt_end(struct pcpu *cpu)
{
	if (IS_ENABLED(CONFIG_SCHED) && unlikely(preempt_is_due(cpu)))
		preempt_trap(); /* and comes back, perhaps on another hart */
	latency_irq_on(this_cpu());
}

static inline void preempt_disable(void)
{
	if (likely(arch_hart_add(PREEMPT_SECTION) <= PREEMPT_QUIET))
		latency_preempt_off(this_cpu());
	barrier();
}

/* The outermost section has ended, and somebody wants the hart. */
void preempt_section_end(u64 cycles);

/* Nearly always it was the only section, and nobody wants the hart. */
static inline void preempt_enable(void)
{
	u64 cycles = latency_preempt_took(this_cpu());
	i64 before;

	barrier();
	before = arch_hart_add(-PREEMPT_SECTION);
	if (likely(before == (PREEMPT_SECTION | PREEMPT_QUIET)))
		latency_preempt_on(cycles);
	else if (before == PREEMPT_SECTION && IS_ENABLED(CONFIG_SCHED))
		preempt_section_end(cycles);
}

#endif
