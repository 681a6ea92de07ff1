/*
 * tlb.h - what harts remember of page tables, and having them forget it.
 *
 * A hart keeps translations that it found, and may keep the fact that there was none. Two kinds of change:
 *
 *	notice	what was nothing is something now: who has not noticed faults and looks again, so for a program's
 *		pages it is enough to tell this hart. The kernel's own faults are not looked at twice: who
 *		adds a page of the kernel's flushes as well.
 *	flush	what was something is less, or something else: when it returns no hart goes by the old any more. Only
 *		then may the page be given to somebody else.
 *
 * Flushing other harts takes thousands of instructions, whatever the size. Who takes away many pages of a space
 * defers it: between tlb_defer and tlb_deferred_flush the other harts are not told, and the pages are nobody's.
 *
 * Which harts: those that have used the space since its identifier was given out (tlb_use); for the kernel's own
 * pages, all.
 */
#ifndef MAZU_TLB_H
#define MAZU_TLB_H

#include <arch/pte.h>
#include <mazu/config.h>
#include <mazu/smp.h>

/* Here and on the other harts. kernel/mm/tlb.c */
void tlb_flush_all_harts(uptr start, u64 size, u16 asid);

#define TLB_ALL UINT64_MAX /* size: the whole space */

static inline void tlb_flush_page(uptr address, u16 asid)
{
	arch_tlb_flush_page(address, asid);
	if (IS_ENABLED(CONFIG_SMP) && unlikely(harts_are_many()))
		tlb_flush_all_harts(address, 1, asid);
}

static inline void tlb_flush_asid(u16 asid)
{
	arch_tlb_flush_asid(asid);
	if (IS_ENABLED(CONFIG_SMP) && unlikely(harts_are_many()))
		tlb_flush_all_harts(0, TLB_ALL, asid);
}

static inline void tlb_notice_page(uptr address, u16 asid)
{
	arch_tlb_flush_page(address, asid);
}

static inline void tlb_notice_asid(u16 asid)
{
	arch_tlb_flush_asid(asid);
}

#ifdef CONFIG_SMP
/* This hart uses the space from now on. Interrupts or preemption off. */
void tlb_use(u16 asid);
/* The identifier is given to another space: no hart uses it, none remembers anything. */
void tlb_forget_users(u16 asid);
/* By who may change the space's table; not nested. */
void tlb_defer(u16 asid);
void tlb_deferred_flush(u16 asid);
/* Shootdowns of a hart's asking. */
u64 tlb_shootdowns(u32 hart);
#else
static inline void tlb_use(u16 asid)
{
	(void)asid;
}
static inline void tlb_forget_users(u16 asid)
{
	(void)asid;
}
static inline void tlb_defer(u16 asid)
{
	(void)asid;
}
static inline void tlb_deferred_flush(u16 asid)
{
	(void)asid;
}
static inline u64 tlb_shootdowns(u32 hart)
{
	(void)hart;
	return 0;
}
#endif

#endif
