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
	/*
	 * Ask pt_map_valid() first (ERR_INVAL). Walk. While the walk ends at an empty entry
	 * above the level that is wanted, a table is missing: get an empty one (pt_table_alloc,
	 * whose error is yours), make the entry lead to it (pte_table, pte_write), and walk
	 * again. Now the walk must have ended at an empty entry of exactly the wanted level,
	 * else ERR_EXIST. Write the leaf (pte_leaf). After each entry that you change, tell the
	 * hart: tlb_notice_page() for a leaf, tlb_notice_asid() for a table.
	 */
	LAB_TODO(2, 2);
}

struct result_u64 pt_unmap(struct pagetable *pt, uptr address)
{
	/*
	 * pt_find_page() finds the leaf of level 0, splitting a superpage where there is one;
	 * its error is yours. Keep what the entry points at, make the entry 0, and only then
	 * make the hart forget the address (tlb_flush_page): the other way round it might look
	 * it up again in between.
	 */
	LAB_TODO(2, 2);
}
/* mazu: lab 2 interface 6ce170984503 */
