/*
 * The checks of spinlocks, up to stage 3: see spinlock.h.
 *
 * While the kernel panics, order and ownership no longer matter: whatever was locked at that
 * moment stays locked for ever, and the panic message must come out all the same.
 *
 * Interrupts may be on (spin_lock). One that comes takes locks of its own and has released them when it returns,
 * so it disturbs only who is between writing a rank down and counting it.
 */
#include <arch/cpu.h>
#include <mazu/panic.h>
#include <mazu/pcpu.h>
#include <mazu/spinlock.h>

static void rank_push(const struct spinlock *lock)
{
	struct pcpu *cpu = this_cpu();
	bool irqs;

	if (cpu->lock_count == PCPU_LOCKS_MAX)
		panic("more than %d locks held", PCPU_LOCKS_MAX);
	if (cpu->lock_count && cpu->locks[cpu->lock_count - 1] >= lock->rank)
		panic("lock of rank %d taken while holding rank %d", lock->rank,
		      cpu->locks[cpu->lock_count - 1]);
	irqs = arch_irq_save();
	cpu->locks[cpu->lock_count++] = lock->rank;
	arch_irq_restore(irqs);
}

static void rank_pop(const struct spinlock *lock)
{
	struct pcpu *cpu = this_cpu();

	if (!cpu->lock_count || cpu->locks[cpu->lock_count - 1] != lock->rank)
		panic("lock of rank %d released out of order", lock->rank);
	cpu->lock_count--;
}

void spin_check_take(struct spinlock *lock)
{
	if (panic_in_progress())
		return;
	if (lock->held)
		panic("lock of rank %d taken twice", lock->rank);
	rank_push(lock);
	lock->held = true;
}

void spin_check_release(struct spinlock *lock)
{
	if (panic_in_progress())
		return;
	lock->held = false;
	rank_pop(lock);
}

void spin_check_held(const struct spinlock *lock)
{
	if (!lock->held && !panic_in_progress())
		panic("lock of rank %d is not held", lock->rank);
}
