/*
 * Stage 4's figures that one hart can measure: a lock that nobody else wants, an interrupt to oneself.
 */
#include <arch/cpu.h>
#include <mazu/bench.h>
#include <mazu/smp.h>
#include <mazu/spinlock.h>

static struct spinlock lock = SPINLOCK_INIT(LOCK_KLOG);

/* So many in a row, as in a function that takes it among other things; one of them is what counts. */
#define PAIRS 16

static u64 per_pair(u64 start)
{
	return (arch_cycles() - start + PAIRS - 1) / PAIRS;
}

BENCHMARK(spin_lock_unlock, NULL, NULL)
{
	u64 start = arch_cycles();

	for (u32 i = 0; i < PAIRS; i++) {
		spin_lock(&lock);
		spin_unlock(&lock);
	}
	return per_pair(start);
}

BENCHMARK(spin_lock_unlock_irqs, NULL, NULL)
{
	u64 start = arch_cycles();

	for (u32 i = 0; i < PAIRS; i++) {
		bool irqs = spin_lock_irqsave(&lock);

		spin_unlock_irqrestore(&lock, irqs);
	}
	return per_pair(start);
}

/* ---- ipi_self_to_handler: from the wish to the first instruction after the interrupt ---- */

BENCHMARK(ipi_self_to_handler, NULL, NULL)
{
	u64 before = ipi_count(0), start = arch_cycles();

	ipi_send(0, IPI_CALL); /* there is none: the handler looks, and finds nothing */
	while (ipi_count(0) == before)
		barrier();
	return arch_cycles() - start;
}
