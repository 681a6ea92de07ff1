/*
 * Seeds: see explore.h.
 *
 * Numbers are Marsaglia's xorshift64, which is short, never 0 once it is not 0, and good enough to end turns by.
 *
 * Source: G. Marsaglia, "Xorshift RNGs", 2003, triple 13, 7, 17.
 */
#include <arch/cpu.h>
#include <mazu/bootargs.h>
#include <mazu/explore.h>
#include <mazu/time.h>

#define TURN_MIN_TICKS 2
#define TURN_TICKS 64 /* a power of two */

/* Spins between two naps: what a lock is usually held for is over by then. */
#define NAP_SPINS 64
#define NAP_TICKS 1000 /* less, and a loaded host does nothing but put its harts to sleep */

bool explore_naps;

void explore_init_hart(void)
{
	struct pcpu *cpu = this_cpu();
	u64 seed = bootargs_number(STR("seed"), 0);

	if (seed)
		cpu->explore = (seed + cpu->index * 0x9e3779b97f4a7c15UL) | 1UL << 63;
	else if (!bootargs_find(STR("overcommit")).err)
		explore_naps = true;
}

static u64 random_next(struct pcpu *cpu)
{
	u64 x = cpu->explore;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	cpu->explore = x;
	return x;
}

u64 explore_random_moment(u64 latest_ticks)
{
	u64 turn = TURN_MIN_TICKS + (random_next(this_cpu()) >> 32) % TURN_TICKS;

	return MIN(latest_ticks, time_ticks() + turn);
}

/* With its timer set to soon, and back again before anybody notices. */
void explore_nap(void)
{
	struct pcpu *cpu = this_cpu();
	bool irqs = arch_irq_save();

	if (++cpu->spins % NAP_SPINS == 0) {
		arch_timer_set(MIN(cpu->timer_ticks, time_ticks() + NAP_TICKS));
		arch_wait_for_interrupt();
		timer_sleep();
	}
	arch_irq_restore(irqs);
}

void explore_end_turn(void)
{
	bool irqs = arch_irq_save();

	arch_timer_set(explore_random_moment(UINT64_MAX));
	arch_irq_restore(irqs);
}
