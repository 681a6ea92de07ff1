/*
 * Having other harts do something.
 *
 * A call is one record on the caller's stack: what to run, and how many have not returned yet. Each hart has a slot
 * for the call of each other hart, so there is no queue, no lock and no memory to run out of; a hart that is
 * interrupted looks at all slots. A caller has one call at a time: it stays on its hart, preemption off, until
 * all have returned. It waits with interrupts on, so two harts that call each other serve each other.
 *
 * Order: filling a slot is a release, emptying it an acquire: the record is whole. The count's release is paired with
 * the caller's last look: what the functions did is done.
 */
#include <arch/cpu.h>
#include <mazu/panic.h>
#include <mazu/preempt.h>
#include <mazu/smp.h>
#include <mazu/spinlock.h>
#include <mazu/time.h>

struct call {
	void (*run)(void *arg);
	void *arg;
	u32 running; /* atomic */
};

struct again {
	bool (*more)(void *arg);
	void *arg;
	bool wanted; /* atomic, ordered by the call */
};

/* [who is called][who calls] */
static struct call *slots[CONFIG_CPU_MAX][CONFIG_CPU_MAX];

void smp_call_interrupt(void)
{
	u32 self = this_cpu()->index;

	for_each_hart(caller, harts_online())
	{
		struct call *call = atomic_exchange_acquire(&slots[self][caller], NULL);

		if (!call)
			continue;
		call->run(call->arg);
		atomic_add_release(&call->running, -1U);
	}
}

static void run_here(void (*run)(void *arg), void *arg)
{
	bool irqs = arch_irq_save();

	run(arg);
	arch_irq_restore(irqs);
}

void smp_call(u64 harts, void (*run)(void *arg), void *arg)
{
	struct call call = { .run = run, .arg = arg };
	u32 self;

	ASSERT(arch_irq_enabled() || harts_online() == 1);
	preempt_disable();
	self = this_cpu()->index;
	for_each_hart(hart, harts & harts_other())
	{
		atomic_add_relaxed(&call.running, 1);
		atomic_store_release(&slots[hart][self], &call);
		ipi_send((u32)hart, IPI_CALL);
	}
	if (harts & hart_bit(self))
		run_here(run, arg);
	while (atomic_load_acquire(&call.running))
		spin_relax();
	preempt_enable();
}

/* ---- Again and again ---- */

static void run_more(void *arg)
{
	struct again *again = arg;

	if (again->more(again->arg))
		atomic_store_relaxed(&again->wanted, true);
}

void smp_call_while(bool (*more)(void *arg), void *arg)
{
	struct again again = { .more = more, .arg = arg };

	do {
		again.wanted = false;
		smp_call(harts_online(), run_more, &again);
	} while (again.wanted);
}
