/*
 * Other harts, by way of the firmware: see hart.h.
 */
#include <arch/cpu.h>
#include <arch/hart.h>
#include <arch/layout.h>
#include <arch/memory.h>
#include <arch/sbi.h>
#include <mazu/atomic.h>
#include <mazu/pcpu.h>
#include <mazu/smp.h>

extern char hart_entry[];

/* The last that was started; in .data, as it tells entry.S that .bss is in use. The boot hart writes it. */
struct pcpu *harts_started __attribute__((section(".data"))) = NULL;

enum error arch_hart_start(struct pcpu *cpu, void *stack, void *emergency_stack)
{
	cpu->arch.stack_base = (uptr)stack + STACK_GUARD;
	cpu->arch.emergency_base = (uptr)emergency_stack + STACK_GUARD;
	if (!sbi_has_harts())
		return ERR_NOTSUP;
	cpu->arch.started_as = cpu->hart_id;
	cpu->arch.started_before = harts_started;
	harts_started = cpu;
	atomic_fence_release(); /* pairs with hart_entry(), hart_entry_lost() */
	return sbi_hart_start(cpu->hart_id, virt_to_phys(hart_entry), (uptr)cpu) ? ERR_IO : OK;
}

void arch_ipi_send(u64 hart_id)
{
	sbi_send_ipi(1, hart_id);
}

/* As many of *harts as the firmware can be told of at once: bits from the lowest name on. */
static u64 hart_names_take(u64 *harts, u64 *base)
{
	u64 names = 0;

	*base = UINT64_MAX;
	for_each_hart(i, *harts) *base = MIN(*base, pcpus[i].hart_id);
	for_each_hart(i, *harts)
	{
		u64 offset = pcpus[i].hart_id - *base;

		if (offset >= 64)
			continue;
		names |= 1UL << offset;
		*harts &= ~hart_bit((u32)i);
	}
	return names;
}

void arch_tlb_flush_remote(u64 harts, uptr start, u64 size, u16 asid)
{
	while (harts) {
		u64 base, names = hart_names_take(&harts, &base);

		sbi_remote_flush(names, base, start, size, asid);
	}
}

void arch_hart_halt(void)
{
	csr_write(sie, 0);
	for (;;)
		arch_wait_for_interrupt();
}
