/*
 * Harts coming and going.
 *
 * All but one wait at the firmware. The boot hart prepares for all of them what they will stand on, a stack, another for
 * when that overflows, an idle task (hart_start.c), and asks the firmware to start it; it comes up in hart_main(), makes itself
 * fit for tasks, and reports. All are asked first and waited for afterwards, so that they come up side by side.
 *
 * A hart's state has one owner at a time: COMING is exchanged for ONLINE by the hart that comes, or for LATE by who
 * waited in vain. One that comes late finds that and goes back to sleep: what was prepared for it is lost,
 * but nobody counts on it. A machine with a hart that does not start is a machine with one hart less.
 *
 * Nobody goes offline again but at the end: harts_stop_others().
 */
#include <arch/cpu.h>
#include <arch/hart.h>
#include <arch/trap.h>
#include <mazu/board.h>
#include <mazu/irq.h>
#include <mazu/kernel_map.h>
#include <mazu/latency.h>
#include <mazu/panic.h>
#include <mazu/printk.h>
#include <mazu/smp.h>
#include <mazu/spinlock.h>
#include <mazu/task.h>
#include <mazu/time.h>
#include <mazu/trace.h>
#include <mazu/watchdog.h>

#include "hart.h"

/* How long the others may take to stop; one that spins with interrupts off is left. */
#define STOP_MS 100UL

enum hart_state { HART_ABSENT, HART_COMING, HART_ONLINE, HART_LATE };

u64 harts_on = 1;
bool harts_many;
static u32 states[CONFIG_CPU_MAX]; /* enum hart_state; atomic */
static u32 last; /* atomic: the hart that ends the machine, its index plus 1; 0: none */

/* ---- Coming ---- */

/* True: the state was `from`, and is `to`. Pairs with state_change(): who is late or not is decided once. */
static bool state_change(u32 hart, u32 from, u32 to)
{
	return __atomic_compare_exchange_n(&states[hart], &from, to, false, __ATOMIC_ACQ_REL,
					   __ATOMIC_RELAXED);
}

void hart_main(void)
{
	struct pcpu *cpu = this_cpu();

	cpu->entry_cycles = arch_cycles();
	trap_init_hart();
	kernel_map_enter();
	latency_begin(cpu);
	task_begin_hart();
	timer_init_hart();
	irq_init_hart();
	if (IS_ENABLED(CONFIG_TRACE))
		trace_init_hart();
	if (!state_change(cpu->index, HART_COMING, HART_ONLINE))
		arch_hart_halt();
	atomic_or_release(&harts_on, hart_bit(cpu->index)); /* pairs with harts_online() */
	atomic_fence_full(); /* pairs with harts_of(): who changes the kernel's map sees us, or we the change */
	arch_tlb_flush_asid(0);
	task_idle();
}

void hart_expect(u32 hart, bool comes)
{
	atomic_store_relaxed(&states[hart], comes ? HART_COMING : HART_ABSENT);
}

/* False: the machine is one with a hart less. */
static bool is_fine(u32 hart, enum error err)
{
	if (err)
		pr_err("hart %lu does not start: %.*s", pcpus[hart].hart_id,
		       STR_ARG(error_name(err)));
	return !err;
}

/* Those that have what they need. */
static u64 harts_prepare(void)
{
	u64 ready = 0;

	for (u32 hart = 1; hart < board.hart_count; hart++) {
		pcpus[hart].index = hart;
		pcpus[hart].hart_id = board.harts[hart].id;
		pcpus[hart].preempt = PREEMPT_QUIET;
		if (is_fine(hart, hart_prepare(hart)))
			ready |= hart_bit(hart);
	}
	return ready;
}

/* Until it is there; no longer than it may take. */
static void hart_wait(u32 hart, u64 until_ns)
{
	while (atomic_load_relaxed(&states[hart]) == HART_COMING && time_now_ns() < until_ns)
		if (task_sleep(NS_PER_MS / 20))
			break;
	if (state_change(hart, HART_COMING, HART_LATE)) {
		pr_err("hart %lu did not come within %d ms", pcpus[hart].hart_id,
		       CONFIG_HART_START_MS);
		return;
	}
	while (!(harts_online() & hart_bit(hart))) /* it is a few instructions from saying so */
		spin_relax();
}

void harts_start(void)
{
	u64 until_ns = time_now_ns() + CONFIG_HART_START_MS * NS_PER_MS, ready, started = 0;
	u32 count = 0;

	if (!kernel_map_is_on())
		return;
	ready = harts_prepare();
	harts_many = ready != 0;
	for_each_hart(hart, ready) if (is_fine((u32)hart, hart_start((u32)hart)))
		started |= hart_bit((u32)hart);
	for_each_hart(hart, started) hart_wait((u32)hart, until_ns);
	for_each_hart(hart, harts_online()) count += hart < CONFIG_CPU_MAX;
	pr_info("harts: %u of %u", count, board.hart_count);
	if (IS_ENABLED(CONFIG_WATCHDOG))
		watchdog_set_hart_limit(CONFIG_WATCHDOG_HART_MS);
}

/* ---- Going ---- */

void hart_stop(const struct trap_frame *frame)
{
	struct pcpu *cpu = this_cpu();

	arch_irq_save();
	cpu->stopped_frame = frame;
	atomic_store_release(&cpu->stopped, true); /* pairs with all_stopped(), others_print() */
	arch_hart_halt();
}

/* Pairs with hart_stop(). */
static bool all_stopped(u64 harts)
{
	for_each_hart(hart, harts) if (!atomic_load_acquire(&pcpus[hart].stopped)) return false;
	return true;
}

bool harts_stop_others(void)
{
	u32 nobody = 0, self = this_cpu()->index + 1;
	u64 others = harts_other(), since = time_ticks();

	if (!__atomic_compare_exchange_n(&last, &nobody, self, false, __ATOMIC_RELAXED,
					 __ATOMIC_RELAXED))
		return nobody == self;
	for_each_hart(hart, others) ipi_send((u32)hart, IPI_STOP);
	while (!all_stopped(others) && time_ticks() - since < time_ticks_for(STOP_MS * NS_PER_MS))
		spin_relax();
	return true;
}
