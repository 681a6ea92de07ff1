/*
 * pte.h - page table entries, as the hart reads them, and the translations it remembers.
 *
 * The trees themselves are made and walked by kernel/mm/pt_*.c, which know only that a table has
 * PT_ENTRIES entries of 64 bits and a tree PT_LEVELS levels, and what is said here.
 *
 * Accessed and dirty are set from the start: some harts fault instead of setting them. Kernel
 * pages are global: they are the same in every address space and survive a change of ASID.
 *
 * Source: Privileged Architecture 20211203, sections 4.2.1 (sfence.vma), 4.3 and 4.4 (Sv39).
 */
#ifndef ARCH_PTE_H
#define ARCH_PTE_H

#include <arch/csr.h>
#include <mazu/vma.h>

#define PT_LEVELS 3 /* level 0 maps 4 KiB, 1: 2 MiB, 2: 1 GiB */
#define PT_ENTRIES 512UL
#define PT_ADDRESS_END (1UL << 38) /* of the lower half, which is all that we use */

#define PTE_VALID (1UL << 0)
#define PTE_READ (1UL << 1)
#define PTE_WRITE (1UL << 2)
#define PTE_EXEC (1UL << 3)
#define PTE_USER (1UL << 4)
#define PTE_GLOBAL (1UL << 5)
#define PTE_ACCESSED (1UL << 6)
#define PTE_DIRTY (1UL << 7)
#define PTE_RIGHTS (PTE_READ | PTE_WRITE | PTE_EXEC)
#define PTE_FLAGS 0x3ffUL

static_assert(VM_READ << 1 == PTE_READ && VM_WRITE << 1 == PTE_WRITE && VM_EXEC << 1 == PTE_EXEC &&
		      VM_USER << 1 == PTE_USER,
	      "rights are the entry's bits, shifted");

/* Bytes that one entry of a level covers. */
static inline u64 pt_level_size(u32 level)
{
	return 4096UL << 9 * level;
}

/* Which entry of its table decides about `address`. */
static inline u64 pt_index(uptr address, u32 level)
{
	return address >> (12 + 9 * level) & (PT_ENTRIES - 1);
}

/* A page of any level: `physical` is a multiple of its size. Kernel pages (no VM_USER) are global. */
static inline u64 pte_leaf(u64 physical, u32 rights)
{
	return physical >> 12 << 10 | (u64)rights << 1 | PTE_ACCESSED | PTE_DIRTY |
	       (rights & VM_USER ? 0 : PTE_GLOBAL) | PTE_VALID;
}

/* The leaf for what lies `bytes` further on in physical memory, with the same rights. */
static inline u64 pte_further(u64 leaf, u64 bytes)
{
	return leaf + (bytes >> 12 << 10);
}

/* An entry that leads to the next table. */
static inline u64 pte_table(u64 physical)
{
	return physical >> 12 << 10 | PTE_VALID;
}

static inline bool pte_is_valid(u64 entry)
{
	return entry & PTE_VALID;
}

/* A page, not a table; asked of valid entries. */
static inline bool pte_is_leaf(u64 entry)
{
	return entry & PTE_RIGHTS;
}

/* The page or the table that a valid entry points at. */
static inline u64 pte_physical(u64 entry)
{
	return (entry & ~PTE_FLAGS) << 2;
}

/* The rights of a leaf, VM_USER among them. */
static inline u32 pte_rights(u64 entry)
{
	return (entry & (PTE_RIGHTS | PTE_USER)) >> 1;
}

/* Everything written before is there for whoever finds the new entry: pairs with the hardware's walk of the table. */
static inline void pte_write(u64 *entry, u64 value)
{
	__atomic_store_n(entry, value, __ATOMIC_RELEASE);
}

/* ---- What this hart remembers: tlb.h has the others, too ---- */

/* One page of one address space; of every address space for the kernel's own (asid 0). */
static inline void arch_tlb_flush_page(uptr address, u16 asid)
{
	if (asid)
		__asm__ volatile("sfence.vma %0, %1" ::"r"(address), "r"((u64)asid) : "memory");
	else
		__asm__ volatile("sfence.vma %0, zero" ::"r"(address) : "memory");
}

/* All of one address space, tables included; of every one for the kernel's. */
static inline void arch_tlb_flush_asid(u16 asid)
{
	if (asid)
		__asm__ volatile("sfence.vma zero, %0" ::"r"((u64)asid) : "memory");
	else
		__asm__ volatile("sfence.vma" ::: "memory");
}

/* What was written to memory is what this hart executes from now on. */
static inline void icache_flush(void)
{
	__asm__ volatile("fence.i" ::: "memory");
}

/* ---- Which tree the hart uses ---- */

#define SATP_SV39 (8UL << 60)
#define SATP_ASID_SHIFT 44
#define SATP_ASID_MASK 0xffffUL

/* From the next instruction on, addresses go through `root`, with translations tagged `asid`. */
static inline void mmu_use(u64 root_physical, u16 asid)
{
	csr_write(satp, SATP_SV39 | (u64)asid << SATP_ASID_SHIFT | root_physical >> 12);
}

/* The largest address space identifier that this hart tells apart; 0: none. Leaves satp as it was. */
u16 mmu_asid_max(void);

#endif
