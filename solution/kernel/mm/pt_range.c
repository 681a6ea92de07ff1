/*
 * What is made of walk, map, unmap and split: tables, rights, ranges, and giving tables back.
 *
 * Recursion follows the tree and is never deeper than PT_LEVELS. Loops over a range skip what is
 * not there a table at a time, so they cost what the tree holds, not what the range spans.
 */
#include <mazu/page.h>
#include <mazu/pagetable.h>

/* ---- Tables ---- */

struct result_ptr pt_table_alloc(struct pagetable *pt)
{
	enum error err = page_quota_take(pt->quota, 1);

	if (err)
		return result_ptr_err(err);

	struct result_ptr table = page_alloc_zero(PAGE_TABLE);

	if (table.err)
		page_quota_give(pt->quota, 1);
	return table;
}

void pt_table_free(struct pagetable *pt, u64 *table)
{
	page_free(table, 0);
	page_quota_give(pt->quota, 1);
}

/* ---- One page ---- */

enum error pt_find_page(struct pagetable *pt, uptr address, struct pt_slot *slot)
{
	*slot = pt_walk(pt, address);
	if (!pte_is_valid(*slot->entry))
		return ERR_NOENT;
	if (slot->level == 0)
		return OK;

	enum error err = pt_split(pt, address);

	if (!err)
		*slot = pt_walk(pt, address);
	return err;
}

enum error pt_protect(struct pagetable *pt, uptr address, u32 rights)
{
	struct pt_slot slot;
	enum error err = pt_map_valid(address, 0, 0, rights) ? pt_find_page(pt, address, &slot)
							     : ERR_INVAL;

	if (err)
		return err;
	pte_write(slot.entry, pte_leaf(pte_physical(*slot.entry), rights));
	tlb_flush_page(address, pt->asid);
	return OK;
}

/* ---- Ranges ---- */

/* The largest page that begins at both addresses and ends within `size`. */
static u32 largest_level(uptr address, u64 physical, u64 size)
{
	u32 level = PT_LEVELS - 1;

	while (level > 0 && (((address | physical) & (pt_level_size(level) - 1)) != 0 ||
			     size < pt_level_size(level)))
		level--;
	return level;
}

enum error pt_map_range(struct pagetable *pt, uptr address, u64 physical, u64 size, u32 rights)
{
	while (size > 0) {
		u32 level = largest_level(address, physical, size);
		enum error err = pt_map(pt, address, physical, level, rights);

		if (err)
			return err;
		address += pt_level_size(level);
		physical += pt_level_size(level);
		size -= pt_level_size(level);
	}
	return OK;
}

uptr pt_next(const struct pagetable *pt, uptr address, uptr end)
{
	while (address < end) {
		struct pt_slot slot = pt_walk(pt, address);

		if (pte_is_valid(*slot.entry))
			return address;
		address = (address | (pt_level_size(slot.level) - 1)) + 1;
	}
	return end;
}

/* ---- Giving tables back ---- */

static bool table_is_empty(const u64 *table)
{
	for (u64 i = 0; i < PT_ENTRIES; i++)
		if (table[i])
			return false;
	return true;
}

/*
 * Frees the table that `entry` of `level` leads to, if it is empty after the same was done to its own
 * in [start, end), or in any case. The entry covers [base, base + pt_level_size(level)).
 */
static void entry_release(struct pagetable *pt, u64 *entry, u32 level, uptr start, uptr end,
			  bool in_any_case)
{
	if (level == 0 || !pte_is_valid(*entry) || pte_is_leaf(*entry))
		return;

	u64 *table = phys_to_virt(pte_physical(*entry));
	u64 size = pt_level_size(level - 1);

	for (uptr at = start & ~(size - 1); at < end; at += size)
		entry_release(pt, &table[pt_index(at, level - 1)], level - 1, MAX(at, start),
			      MIN(at + size, end), in_any_case);
	if (!in_any_case && !table_is_empty(table))
		return;
	pte_write(entry, 0);
	tlb_flush_asid(pt->asid);
	pt_table_free(pt, table);
}

static void range_release(struct pagetable *pt, uptr start, uptr end, bool in_any_case)
{
	u64 size = pt_level_size(PT_LEVELS - 1);

	for (uptr at = start & ~(size - 1); at < end; at += size)
		entry_release(pt, &pt->root[pt_index(at, PT_LEVELS - 1)], PT_LEVELS - 1,
			      MAX(at, start), MIN(at + size, end), in_any_case);
}

void pt_prune(struct pagetable *pt, uptr start, uptr end)
{
	range_release(pt, start, end, false);
}

void pt_release(struct pagetable *pt, uptr start, uptr end)
{
	range_release(pt, start, end, true);
	for (uptr at = start; at < end; at += pt_level_size(PT_LEVELS - 1))
		pte_write(&pt->root[pt_index(at, PT_LEVELS - 1)], 0);
	tlb_flush_asid(pt->asid);
}
