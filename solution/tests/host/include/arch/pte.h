/*
 * Page tables, of which the host's tests have none: what the headers need to be read.
 */
#ifndef ARCH_PTE_H
#define ARCH_PTE_H

#include <mazu/vma.h>

#define PT_LEVELS 3
#define PT_ADDRESS_END (1UL << 38)

static inline u64 pt_level_size(u32 level)
{
	return 1UL << (12 + 9 * level);
}

/* This machine remembers nothing. */
static inline void arch_tlb_flush_page(uptr address, u16 asid)
{
	(void)address, (void)asid;
}

static inline void arch_tlb_flush_asid(u16 asid)
{
	(void)asid;
}

#endif
