/*
 * Allocations that fail when they are told to: see fault_inject.h.
 *
 * The counter runs down and is only ever looked at here, with interrupts off, so that an
 * allocation in an interrupt counts as one.
 */
#include <arch/cpu.h>
#include <mazu/bootargs.h>
#include <mazu/fault_inject.h>
#include <mazu/init.h>

static u64 remaining; /* interrupts off: allocations until the one that fails, it included; 0: none */
static bool fired;    /* interrupts off */

void fault_inject_set(u64 nth)
{
	bool irqs = arch_irq_save();

	remaining = nth;
	fired = false;
	arch_irq_restore(irqs);
}

bool fault_inject_fired(void)
{
	return READ_ONCE(fired);
}

bool fault_inject_count(void)
{
	bool irqs = arch_irq_save();
	bool hit = remaining > 0 && --remaining == 0;

	fired |= hit;
	arch_irq_restore(irqs);
	return hit;
}

/* failalloc=N, from the boot's first allocation on. Linked in front of whoever allocates in a hook. */
static void fault_inject_boot(void)
{
	u64 nth = bootargs_number(STR("failalloc"), 0);

	if (nth > 0)
		fault_inject_set(nth);
}
INIT_HOOK(EARLY, fault_inject_boot);
