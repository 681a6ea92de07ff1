/*
 * pagetable.h - trees of page tables: from virtual addresses to pages.
 *
 * A tree has PT_LEVELS levels of tables with PT_ENTRIES entries. An entry is empty, a leaf (a
 * page of its level's size), or leads to a table one level below. A leaf above level 0 is a
 * superpage: it saves tables and is split into a table of smaller leaves when a part of it needs
 * rights of its own.
 *
 * Invariant: a tree is exact. An address has one translation or none; what was unmapped
 * is gone from tables and from the hart's memory of them when the function returns.
 *
 * Tables are pages of type TABLE, charged to the tree's quota. A range's empty tables are given
 * back by pt_prune(). Guarded by the owner of the tree.
 *
 * Source: Privileged Architecture 20211203, section 4.3.2 (the walk).
 */
#ifndef MAZU_PAGETABLE_H
#define MAZU_PAGETABLE_H

#include <arch/pte.h>
#include <mazu/error.h>
#include <mazu/tlb.h>
#include <mazu/types.h>

/* How many pages somebody may hold, tables included. */
struct page_quota {
	u64 used;
	u64 limit;
};

/* ERR_NOMEM: over the limit. */
static inline enum error __must_check page_quota_take(struct page_quota *quota, u64 pages)
{
	if (quota && pages > quota->limit - quota->used)
		return ERR_NOMEM;
	if (quota)
		quota->used += pages;
	return OK;
}

static inline void page_quota_give(struct page_quota *quota, u64 pages)
{
	if (quota)
		quota->used -= pages;
}

struct pagetable {
	u64 *root;
	u16 asid;		  /* 0: the kernel's, whose leaves are global */
	struct page_quota *quota; /* NULL: unlimited */
};

/* Where a walk ends: a leaf of `level`, or an entry of `level` that is empty. */
struct pt_slot {
	u64 *entry;
	u32 level;
};

/* Follows the tables from the root for `address` (< PT_ADDRESS_END). At most PT_LEVELS steps. */
struct pt_slot pt_walk(const struct pagetable *pt, uptr address);

/*
 * Maps the page of `level` at `address` to `physical`, both multiples of its size, making the
 * tables that are missing on the way. ERR_EXIST: a page is mapped there already, be it larger, or
 * a table for smaller ones is there (pt_prune); ERR_NOMEM: no table, or the quota; ERR_INVAL:
 * misaligned, no rights, writable but not readable, no such level, or at or above
 * PT_ADDRESS_END. On an error no translation has changed (tables may have been added).
 */
enum error __must_check pt_map(struct pagetable *pt, uptr address, u64 physical, u32 level,
			       u32 rights);

/*
 * Takes away the 4 KiB page at `address`, a multiple of 4 KiB; the rest of a superpage stays.
 * Returns the physical page that was there. ERR_NOENT: none; ERR_NOMEM: a superpage could not be
 * split; nothing changed.
 */
struct result_u64 __must_check pt_unmap(struct pagetable *pt, uptr address);

/* New rights for the 4 KiB page at `address`; otherwise like pt_unmap. */
enum error __must_check pt_protect(struct pagetable *pt, uptr address, u32 rights);

/*
 * Replaces the superpage that maps `address` by PT_ENTRIES leaves of the next smaller size with
 * the same translations and rights, until `address` has a leaf of level 0. ERR_NOENT: nothing is
 * mapped there; ERR_NOMEM: no table. Every address translates as before at each moment.
 */
enum error __must_check pt_split(struct pagetable *pt, uptr address);

/* ---- Steps, and what is made of them (pt_range.c) ---- */

/* Whether pt_map takes these arguments. */
static inline bool pt_map_valid(uptr address, u64 physical, u32 level, u32 rights)
{
	return level < PT_LEVELS && address < PT_ADDRESS_END &&
	       ((address | physical) & (pt_level_size(level) - 1)) == 0 && rights & VM_RIGHTS &&
	       (rights & VM_READ || !(rights & VM_WRITE));
}

/*
 * The leaf of level 0 for the page at `address`, after splitting a superpage if need be. Errors
 * as for pt_unmap.
 */
enum error __must_check pt_find_page(struct pagetable *pt, uptr address, struct pt_slot *slot);

/* An empty table, charged to the tree. */
struct result_ptr __must_check pt_table_alloc(struct pagetable *pt);
void pt_table_free(struct pagetable *pt, u64 *table);

/* Maps a range with the largest pages that fit. On an error, what was mapped stays. */
enum error __must_check pt_map_range(struct pagetable *pt, uptr address, u64 physical, u64 size,
				     u32 rights);

/*
 * The first mapped page at or after `address` and below `end`: where it begins, or `end`. Skips
 * what is empty a table at a time.
 */
uptr pt_next(const struct pagetable *pt, uptr address, uptr end);

/* Frees the tables below the root that have become empty in [start, end). Leaves pages alone. */
void pt_prune(struct pagetable *pt, uptr start, uptr end);

/* Frees all tables below the root in [start, end), multiples of what a root's entry covers. */
void pt_release(struct pagetable *pt, uptr start, uptr end);

#endif
