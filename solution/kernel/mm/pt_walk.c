/*
 * The walk: from a root and a virtual address to the entry that decides.
 *
 * The hart does this in hardware for each address that it has not met lately; we do it in
 * software whenever a tree is changed or asked. Each level takes nine bits of the address as an
 * index into its table, the highest bits first. The entry found there ends the walk when it is
 * empty or a leaf; otherwise it holds the physical address of the next table.
 *
 * A leaf may be met above level 0: a superpage. So the answer is not "the entry of this page" but
 * "the entry where the hart stops, and how much it covers". At level 0 the walk ends whatever the
 * entry says.
 *
 * Source: Privileged Architecture 20211203, section 4.3.2, steps 2 to 4.
 */
#include <mazu/page.h>
#include <mazu/pagetable.h>

struct pt_slot pt_walk(const struct pagetable *pt, uptr address)
{
	u32 level = PT_LEVELS - 1;
	u64 *entry = &pt->root[pt_index(address, level)];

	while (level > 0 && pte_is_valid(*entry) && !pte_is_leaf(*entry)) {
		u64 *table = phys_to_virt(pte_physical(*entry));

		level--;
		entry = &table[pt_index(address, level)];
	}
	return (struct pt_slot){ entry, level };
}
