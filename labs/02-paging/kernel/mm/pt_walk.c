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
	/*
	 * Begin with the entry of the root that pt_index() names, at level PT_LEVELS - 1. As
	 * long as the entry is valid, is not a leaf, and the level is above 0, it leads to a
	 * table: pte_physical() says where, phys_to_virt() how we see it; go on with that
	 * table's entry for `address`, one level down. Return the last entry and its level.
	 */
	LAB_TODO(2, 2);
}
/* mazu: lab 2 interface 7a8b4b23c9b2 */
