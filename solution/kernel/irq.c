/*
 * Interrupt descriptors, between trap dispatch and the interrupt controller.
 *
 * One descriptor a number. irq_external claims what is pending, runs its handler and tells the
 * controller that it is done, until nothing is pending or IRQ_BUDGET were served: then the hart
 * returns to what it was doing, and the controller interrupts again at once. So one storm
 * of interrupts cannot hold the interrupted code for longer than a stated time.
 *
 * An interrupt that its handler disowns IRQ_SPURIOUS_MAX times in a row is turned off, with a
 * message: a device that nobody quiets would take the whole hart.
 *
 * Handlers run without the lock, on any hart, interrupts off from claim to completion. So whoever asks all harts for
 * something (on_each_hart) knows, when they have answered, that no handler runs that ran before: that is how
 * one is taken away. And a hart alone says what it takes, when asked: what it claimed it still takes when it
 * completes it, as the controller may demand.
 */
#include <arch/cpu.h>
#include <mazu/atomic.h>
#include <mazu/irq.h>
#include <mazu/panic.h>
#include <mazu/pcpu.h>
#include <mazu/printk.h>
#include <mazu/smp.h>
#include <mazu/spinlock.h>

#define IRQ_BUDGET 16
#define IRQ_SPURIOUS_MAX 1000

enum irq_state { IRQ_FREE, IRQ_CHANGING, IRQ_TAKEN };

struct irq_descriptor {
	enum irq_state state;		  /* irq_lock */
	irq_handler *handler;		  /* atomic; NULL: none */
	void *arg;			  /* written while there is no handler */
	u32 spurious_in_row;		  /* the handling hart */
	struct irq_statistics statistics; /* irq_lock; counts: the handling hart */
};

static struct spinlock irq_lock = SPINLOCK_INIT(LOCK_IRQ);
static struct irq_descriptor descriptors[IRQ_COUNT];
static const struct irq_chip *irq_chip; /* written once, at boot, like the next */
static u32 irq_last;
static u64 spurious_claims; /* atomic */

void irq_set_chip(const struct irq_chip *chip, u32 sources)
{
	irq_chip = chip;
	irq_last = sources;
	irq_init_hart();
}

void irq_init_hart(void)
{
	if (!irq_chip)
		return;
	irq_chip->init_hart();
	arch_irq_accept_devices();
}

struct str irq_chip_name(void)
{
	return irq_chip ? irq_chip->name : STR("none");
}

u64 irq_spurious_claims(void)
{
	return atomic_load_relaxed(&spurious_claims);
}

/* ---- Who has it, and who takes it ---- */

static enum error irq_check(u32 irq)
{
	if (irq == 0 || irq >= IRQ_COUNT)
		return ERR_RANGE;
	if (!irq_chip)
		return ERR_NODEV;
	return irq <= irq_last ? OK : ERR_RANGE;
}

/* True: the state was `from`, and is `to`. Who makes it IRQ_CHANGING is alone with the descriptor until it ends that. */
static bool state_change(struct irq_descriptor *descriptor, enum irq_state from, enum irq_state to)
{
	bool irqs = spin_lock_irqsave(&irq_lock);
	bool changed = descriptor->state == from;

	if (changed)
		descriptor->state = to;
	spin_unlock_irqrestore(&irq_lock, irqs);
	return changed;
}

/* In an interrupt, so nothing is claimed here. Of two changes at once, each hart comes to the later one last. */
static void steer_here(void *arg)
{
	u32 irq = (u32)(uptr)arg;
	u64 harts;

	spin_lock_irqs_off(&irq_lock);
	harts = descriptors[irq].statistics.affinity;
	irq_chip->steer(irq, harts & hart_bit(this_cpu()->index));
	spin_unlock_irqs_off(&irq_lock);
}

/* ERR_NOENT: it is not in that state. */
static enum error steer(u32 irq, enum irq_state state, u64 harts)
{
	bool irqs = spin_lock_irqsave(&irq_lock);
	bool known = descriptors[irq].state == state;

	if (known)
		descriptors[irq].statistics.affinity = harts;
	spin_unlock_irqrestore(&irq_lock, irqs);
	if (!known)
		return ERR_NOENT;
	on_each_hart(steer_here, (void *)(uptr)irq);
	return OK;
}

static void handler_set(u32 irq, irq_handler *handler, void *arg, struct str name)
{
	struct irq_descriptor *descriptor = &descriptors[irq];
	bool irqs = spin_lock_irqsave(&irq_lock);

	descriptor->arg = arg;
	descriptor->spurious_in_row = 0;
	descriptor->statistics.name = name;
	descriptor->statistics.stopped = false;
	atomic_store_release(&descriptor->handler, handler); /* pairs with irq_handle() */
	spin_unlock_irqrestore(&irq_lock, irqs);
}

enum error request_irq(u32 irq, irq_handler *handler, void *arg, struct str name)
{
	u64 own = hart_bit(this_cpu()->index);
	enum error err = irq_check(irq);

	if (err)
		return err;
	if (!handler)
		return ERR_INVAL;
	if (!(irq_chip->harts() & own))
		return ERR_NODEV;
	if (!state_change(&descriptors[irq], IRQ_FREE, IRQ_CHANGING))
		return ERR_BUSY;
	handler_set(irq, handler, arg, name);
	err = steer(irq, IRQ_CHANGING, own);
	irq_chip->enable(irq);
	state_change(&descriptors[irq], IRQ_CHANGING, IRQ_TAKEN);
	return err;
}

enum error free_irq(u32 irq)
{
	enum error err = irq_check(irq);

	if (err)
		return err;
	if (!state_change(&descriptors[irq], IRQ_TAKEN, IRQ_CHANGING))
		return ERR_NOENT;
	irq_chip->disable(irq);
	err = steer(irq, IRQ_CHANGING, 0);
	handler_set(irq, NULL, NULL, STR(""));
	state_change(&descriptors[irq], IRQ_CHANGING, IRQ_FREE);
	return err;
}

enum error irq_set_affinity(u32 irq, u64 harts)
{
	enum error err = irq_check(irq);

	if (err)
		return err;
	if (harts == 0)
		return ERR_INVAL;
	harts &= harts_online() & irq_chip->harts();
	if (harts == 0)
		return ERR_NODEV;
	return steer(irq, IRQ_TAKEN, harts);
}

/* ---- Looking ---- */

enum error irq_statistics(u32 irq, struct irq_statistics *statistics)
{
	if (irq >= IRQ_COUNT)
		return ERR_RANGE;

	bool irqs = spin_lock_irqsave(&irq_lock);

	*statistics = descriptors[irq].statistics;
	spin_unlock_irqrestore(&irq_lock, irqs);
	return OK;
}

/* ---- Serving ---- */

static void irq_disowned(u32 irq, struct irq_descriptor *descriptor)
{
	descriptor->statistics.spurious++;
	if (++descriptor->spurious_in_row < IRQ_SPURIOUS_MAX)
		return;
	irq_chip->disable(irq);
	descriptor->statistics.stopped = true;
	pr_err("irq %u: %d in a row that nobody wanted, now off", irq, IRQ_SPURIOUS_MAX);
}

static void irq_handle(u32 irq)
{
	struct irq_descriptor *descriptor = &descriptors[irq];

	irq_handler *handler =
		atomic_load_acquire(&descriptor->handler); /* pairs with handler_set() */

	descriptor->statistics.counts[this_cpu()->index]++;
	if (handler && handler(descriptor->arg))
		descriptor->spurious_in_row = 0;
	else
		irq_disowned(irq, descriptor);
}

void irq_external(void)
{
	for (u32 served = 0; served < IRQ_BUDGET; served++) {
		u32 irq = irq_chip->claim();

		if (irq == 0) {
			if (served == 0)
				atomic_add_relaxed(&spurious_claims, 1);
			return;
		}
		if (likely(irq < IRQ_COUNT))
			irq_handle(irq);
		else
			atomic_add_relaxed(&spurious_claims, 1);
		irq_chip->complete(irq);
	}
}
