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
 * Handlers are read without the lock: irq_external runs with interrupts off on the only
 * hart, and request and free change a descriptor only while its interrupt is disabled.
 */
#include <arch/cpu.h>
#include <mazu/irq.h>
#include <mazu/panic.h>
#include <mazu/pcpu.h>
#include <mazu/printk.h>
#include <mazu/smp.h>
#include <mazu/spinlock.h>

#define IRQ_BUDGET 16
#define IRQ_SPURIOUS_MAX 1000

struct irq_descriptor {
	irq_handler *handler; /* irq_lock to write; NULL: free */
	void *arg;	      /* irq_lock to write */
	u32 spurious_in_row;  /* the handling hart */
	struct irq_statistics statistics;
};

static struct spinlock irq_lock = SPINLOCK_INIT(LOCK_IRQ);
static struct irq_descriptor descriptors[IRQ_COUNT];
static const struct irq_chip *irq_chip; /* written once, at boot */
static u64 spurious_claims;		/* irq_external */

void irq_set_chip(const struct irq_chip *chip)
{
	irq_chip = chip;
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
	return spurious_claims;
}

static enum error irq_check(u32 irq)
{
	if (irq == 0 || irq >= IRQ_COUNT)
		return ERR_RANGE;
	return irq_chip ? OK : ERR_NODEV;
}

static enum error request_check_locked(u32 irq, irq_handler *handler)
{
	spin_assert_held(&irq_lock);
	if (!handler)
		return ERR_INVAL;
	return descriptors[irq].handler ? ERR_BUSY : OK;
}

static void request_commit_locked(u32 irq, irq_handler *handler, void *arg, struct str name)
{
	struct irq_descriptor *descriptor = &descriptors[irq];

	spin_assert_held(&irq_lock);
	descriptor->arg = arg;
	descriptor->handler = handler;
	descriptor->spurious_in_row = 0;
	descriptor->statistics.name = name;
	descriptor->statistics.stopped = false;
	irq_chip->enable(irq);
}

enum error request_irq(u32 irq, irq_handler *handler, void *arg, struct str name)
{
	enum error err = irq_check(irq);

	if (err)
		return err;
	err = irq_set_affinity(irq, 1UL << this_cpu()->index);
	if (err)
		return err;

	bool irqs = spin_lock_irqsave(&irq_lock);

	err = request_check_locked(irq, handler);
	if (!err)
		request_commit_locked(irq, handler, arg, name);
	spin_unlock_irqrestore(&irq_lock, irqs);
	return err;
}

enum error free_irq(u32 irq)
{
	enum error err = irq_check(irq);

	if (err)
		return err;

	bool irqs = spin_lock_irqsave(&irq_lock);

	if (descriptors[irq].handler) {
		irq_chip->disable(irq);
		descriptors[irq].handler = NULL;
		descriptors[irq].statistics.name = STR("");
	} else {
		err = ERR_NOENT;
	}
	spin_unlock_irqrestore(&irq_lock, irqs);
	return err;
}

enum error irq_set_affinity(u32 irq, u64 harts)
{
	enum error err = irq_check(irq);

	if (err)
		return err;
	if (harts == 0)
		return ERR_INVAL;
	harts &= harts_online();
	if (harts == 0)
		return ERR_NODEV;

	bool irqs = spin_lock_irqsave(&irq_lock);

	err = irq_chip->set_affinity(irq, harts);
	if (!err)
		descriptors[irq].statistics.affinity = harts;
	spin_unlock_irqrestore(&irq_lock, irqs);
	return err;
}

enum error irq_statistics(u32 irq, struct irq_statistics *statistics)
{
	if (irq >= IRQ_COUNT)
		return ERR_RANGE;

	bool irqs = spin_lock_irqsave(&irq_lock);

	*statistics = descriptors[irq].statistics;
	spin_unlock_irqrestore(&irq_lock, irqs);
	return OK;
}

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

	descriptor->statistics.counts[this_cpu()->index]++;
	if (descriptor->handler && descriptor->handler(descriptor->arg))
		descriptor->spurious_in_row = 0;
	else
		irq_disowned(irq, descriptor);
}

void irq_external(void)
{
	for (u32 served = 0; served < IRQ_BUDGET; served++) {
		u32 irq = irq_chip->claim();

		if (irq == 0) {
			spurious_claims += served == 0;
			return;
		}
		if (likely(irq < IRQ_COUNT))
			irq_handle(irq);
		else
			spurious_claims++;
		irq_chip->complete(irq);
	}
}
