/*
 * Mapping and unmapping: one entry of a tree, and what the hart remembers of it.
 *
 * To map a page of some level, the walk's end is the place to begin: either it is the entry, or
 * tables are missing in between. A new table is empty before the entry above leads to it, so
 * at each moment the tree is a tree that the hart may walk.
 *
 * The hart keeps translations, and may keep the fact that there was none. Whoever adds an entry tells it
 * (tlb_notice_page), or about all that a new table covers (tlb_notice_asid), and whoever takes one away tells all harts
 * (tlb_flush_page). Forgetting it works most of the time, which is the worst that can be said of it.
 *
 * Source: Privileged Architecture 20211203, section 4.2.1 (what sfence.vma orders).
 */
#include <mazu/page.h>
#include <mazu/pagetable.h>

enum error pt_map(struct pagetable *pt, uptr address, u64 physical, u32 level, u32 rights)
{
	if (!pt_map_valid(address, physical, level, rights))
		return ERR_INVAL;

	struct pt_slot slot = pt_walk(pt, address);

	while (slot.level > level && !pte_is_valid(*slot.entry)) {
		struct result_ptr table = pt_table_alloc(pt);

		if (table.err)
			return table.err;
		pte_write(slot.entry, pte_table(virt_to_phys(table.value)));
		tlb_notice_asid(pt->asid);
		slot = pt_walk(pt, address);
	}
	if (slot.level != level || pte_is_valid(*slot.entry))
		return ERR_EXIST;
	pte_write(slot.entry, pte_leaf(physical, rights));
	tlb_notice_page(address, pt->asid);
	return OK;
}

struct result_u64 pt_unmap(struct pagetable *pt, uptr address)
{
	struct pt_slot slot;
	enum error err = pt_find_page(pt, address, &slot);

	if (err)
		return result_u64_err(err);

	u64 physical = pte_physical(*slot.entry);

	pte_write(slot.entry, 0);
	tlb_flush_page(address, pt->asid);
	return result_u64_ok(physical);
}
