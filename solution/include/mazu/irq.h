/*
 * irq.h - device interrupts: who wants which, and who delivers them.
 *
 * Drivers ask for an interrupt by the number that the device tree gives (1..IRQ_COUNT - 1). The
 * interrupt controller is one operations table; nothing else in the kernel knows which it is.
 */
#ifndef MAZU_IRQ_H
#define MAZU_IRQ_H

#include <mazu/config.h>
#include <mazu/error.h>
#include <mazu/str.h>
#include <mazu/types.h>

#define IRQ_COUNT 128

/* Runs with interrupts off. False: "not my device's", counted as spurious. */
typedef bool irq_handler(void *arg);

struct irq_chip {
	struct str name;
	/* From any hart, in any context, one store each. Off, nobody is interrupted by it. */
	void (*enable)(u32 irq);
	void (*disable)(u32 irq);
	/* This hart takes it from now on, or does not. Interrupts off, and not between claim and complete. */
	void (*steer)(u32 irq, bool here);
	/* This hart may take interrupts from now on. */
	void (*init_hart)(void);
	/* Harts (bit = index) that can take any. */
	u64 (*harts)(void);
	/* The most urgent pending interrupt, now being served; 0: none. */
	u32 (*claim)(void);
	void (*complete)(u32 irq);
};

struct irq_statistics {
	struct str name; /* empty: nobody asked for it */
	u64 affinity;
	u64 counts[CONFIG_CPU_MAX];
	u64 spurious;
	bool stopped; /* disabled by us: too many in a row that nobody wanted */
};

/* The controller's driver, once, at boot; numbers are 1..sources. */
void irq_set_chip(const struct irq_chip *chip, u32 sources);
/* This hart takes the interrupts that are steered to it. */
void irq_init_hart(void);
struct str irq_chip_name(void);

/*
 * The next three are for tasks, interrupts on where there are several harts: those are asked one by one.
 *
 * From now on `handler(arg)` runs for interrupt `irq`, on this hart. ERR_RANGE: no such number; ERR_BUSY: taken;
 * ERR_NODEV: no controller, or not for this hart; ERR_INVAL: no handler.
 */
enum error __must_check request_irq(u32 irq, irq_handler *handler, void *arg, struct str name);

/*
 * Disables it and forgets the handler, which runs nowhere when this returns; counts stay. ERR_RANGE; ERR_NOENT: nobody
 * has it.
 */
enum error free_irq(u32 irq);

/*
 * Bit n: hart with index n; of those that are online and can take it. ERR_RANGE; ERR_INVAL: empty mask; ERR_NODEV: none of them
 * can; ERR_NOENT: nobody has it.
 */
enum error __must_check irq_set_affinity(u32 irq, u64 harts);

/* ERR_RANGE beyond the last. */
enum error __must_check irq_statistics(u32 irq, struct irq_statistics *statistics);

/* Claims that led nowhere: the controller had nothing, or somebody unknown. */
u64 irq_spurious_claims(void);

/* The external interrupt, called by trap dispatch. */
void irq_external(void);

#endif
