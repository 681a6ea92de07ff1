/*
 * smp.h - several harts: starting them, interrupting them, having them do something, stopping them.
 *
 * Harts are known by their index (0..CONFIG_CPU_MAX - 1; the boot hart is 0), sets of them by a mask, bit n for
 * index n. What the firmware calls them is in board.harts. Without CONFIG_SMP there is the boot hart, and
 * everything here is about it alone.
 */
#ifndef MAZU_SMP_H
#define MAZU_SMP_H

#include <arch/cpu.h>
#include <mazu/atomic.h>
#include <mazu/bits.h>
#include <mazu/config.h>
#include <mazu/error.h>
#include <mazu/pcpu.h>
#include <mazu/types.h>

struct trap_frame;

/* for_each_hart(i, mask): bounded by the bits of the mask. */
#define for_each_hart(i, mask)                                                                     \
	for (u64 hart_set_ = (mask), i; hart_set_ && (i = bit_lowest(hart_set_), true);            \
	     hart_set_ &= hart_set_ - 1)

/* ---- Which there are: hart.c ---- */

extern u64 harts_on; /* atomic; release by the hart that comes, bits are never cleared */

/*
 * Those that run this kernel. A hart in it has all that pcpu.h says, and takes part in everything: the acquire pairs with
 * hart_main().
 */
static inline u64 harts_online(void)
{
	return IS_ENABLED(CONFIG_SMP) ? atomic_load_acquire(&harts_on) : 1;
}

extern bool harts_many; /* the boot hart sets it before it starts another, which so finds it set */

/* Whether anybody could see what this hart does in the middle of it. From before another hart runs to the end. */
static inline bool harts_are_many(void)
{
	return IS_ENABLED(CONFIG_SMP) && READ_ONCE(harts_many);
}

static inline u64 hart_bit(u32 hart)
{
	return 1UL << hart;
}

static inline u64 harts_other(void)
{
	return harts_online() & ~hart_bit(this_cpu()->index);
}

/* Brings up what the device tree lists. One that does not come is reported. Task context, once. */
void harts_start(void);

/* Where they begin (arch/riscv64/hart_entry.S). */
void hart_main(void) __noreturn;

/* ---- Interrupting them: ipi.c ---- */

/* Bits: several wishes may be one interrupt. */
enum ipi {
	IPI_RESCHEDULE = 1, /* somebody more urgent is queued there */
	IPI_CALL = 2,	    /* smp_call */
	IPI_STOP = 4,	    /* the machine ends */
	IPI_ARRIVE = 8,	    /* tasks have moved there */
};

/* `hart` is online. What was written before is seen by its handler. Any context. */
void ipi_send(u32 hart, enum ipi why);

/* The software interrupt, called by trap dispatch. */
void ipi_interrupt(const struct trap_frame *frame);

/* Interrupts of this kind that a hart took; 0 where there is none. */
u64 ipi_count(u32 hart);

/* ---- Having them do something: call.c ---- */

/*
 * Runs `run(arg)` on each of `harts` that is online, this one included, in the interrupt, interrupts off, and
 * returns when all have returned. Interrupts on, no lock held.
 */
void smp_call(u64 harts, void (*run)(void *arg), void *arg);
void smp_call_interrupt(void);

/* Asks each hart again and again, interrupts off for one call at a time, until none says that there is more. Interrupts on. */
void smp_call_while(bool (*more)(void *arg), void *arg);

/* The same, with interrupts on unless there is one hart, which then is one of `harts`. */
static inline void on_harts(u64 harts, void (*run)(void *arg), void *arg)
{
	bool irqs;

	if (harts_are_many())
		return smp_call(harts, run, arg);
	irqs = arch_irq_save();
	run(arg);
	arch_irq_restore(irqs);
}

static inline void on_each_hart(void (*run)(void *arg), void *arg)
{
	on_harts(harts_online(), run, arg);
}

static inline void harts_while(bool (*more)(void *arg), void *arg)
{
	if (harts_are_many())
		return smp_call_while(more, arg);
	while (more(arg))
		;
}

/* ---- Ending ---- */

/*
 * All others stop where they are, for good: one that has interrupts off for longer than locks.h allows does not, and
 * is not waited for. False: another hart has done this before, and this one is to stop. Interrupts off.
 */
bool harts_stop_others(void);

/* This hart does nothing any more. `frame`: what it was doing; NULL: unknown. */
void hart_stop(const struct trap_frame *frame) __noreturn;

#endif
