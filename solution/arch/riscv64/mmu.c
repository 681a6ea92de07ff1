/*
 * What this hart's memory management unit can do.
 *
 * Source: Privileged Architecture 20211203, section 4.1.11 (satp: how to find the width of ASID).
 */
#include <arch/cpu.h>
#include <arch/pte.h>

u16 mmu_asid_max(void)
{
	bool irqs = arch_irq_save();
	u64 satp = csr_read(satp);

	csr_write(satp, satp | SATP_ASID_MASK << SATP_ASID_SHIFT);

	u64 all = csr_read(satp) >> SATP_ASID_SHIFT & SATP_ASID_MASK;

	csr_write(satp, satp);
	arch_irq_restore(irqs);
	return (u16)all;
}
