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
	struct pt_slot slot = pt_walk(pt, address);

	if (!pte_is_valid(*slot.entry))
		return ERR_NOENT;
	while (slot.level > 0) {
		struct result_ptr allocated = pt_table_alloc(pt);
		u64 size = pt_level_size(slot.level - 1), leaf = *slot.entry;
		u64 *table = allocated.value;

		if (allocated.err)
			return allocated.err;
		for (u64 i = 0; i < PT_ENTRIES; i++, leaf = pte_further(leaf, size))
			table[i] = leaf;
		pte_write(slot.entry, pte_table(virt_to_phys(table)));
		tlb_flush_asid(pt->asid);
		slot = pt_walk(pt, address);
	}
	return OK;
}
