/*
 * Splitting a superpage: one leaf becomes a table of smaller ones.
 *
 * A superpage is cheap as long as all of it is treated alike. As soon as one page in it is to have
 * rights of its own, or none, its leaf must give way to a table that says the same in PT_ENTRIES
 * pieces; from 1 GiB to 4 KiB that takes two such steps.
 *
 * The kernel runs from memory that is being split, and an interrupt may come at any time, so
 * there is no moment without a translation: the new table is complete before the one store that
 * puts it in place. Both say the same, so it does not matter which of them a hart has seen,
 * until somebody changes a piece; by then it must have forgotten the whole.
 *
 * Source: Privileged Architecture 20211203, sections 4.2.1 and 4.3.1 (superpages).
 */
#include <mazu/page.h>
#include <mazu/pagetable.h>

enum error pt_split(struct pagetable *pt, uptr address)
{
	/*
	 * Walk. An empty entry is ERR_NOENT. While the leaf is above level 0: get a table
	 * (pt_table_alloc), and fill all PT_ENTRIES of it with leaves of the next smaller size
	 * that together say what the one leaf said: entry i maps pt_level_size(level - 1) * i
	 * further on, with the same rights. Only when it is complete, let the entry lead to it,
	 * by one pte_write(), and tell the hart (tlb_flush_asid). Walk again, one level lower.
	 */
	LAB_TODO(2, 3);
}
/* mazu: lab 2 interface 84f58f34b6a4 */
