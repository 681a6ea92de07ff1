/*
 * addrspace.h - what a program sees of memory.
 *
 * An address space is a set of areas (vma.h), the page table that makes them real, and a quota
 * of pages. Pages of zero areas appear when they are touched; shared pages are counted by owner
 * (page_get, page_put) and live as long as somebody maps them.
 *
 * Private profile: each space has its own table and ASID; the kernel's half of it is the same in all.
 * Shared profile (CONFIG_SPACE_SHARED): there is one table, the kernel's, and each space has
 * a window of it to itself. Everything else, and everything said here, is the same.
 *
 * Guarded by its owner; not from interrupts. The page fault handler runs in the context of
 * the program or of the kernel's copy on its behalf.
 */
#ifndef MAZU_ADDRSPACE_H
#define MAZU_ADDRSPACE_H

#include <mazu/fault.h>
#include <mazu/list.h>
#include <mazu/pagetable.h>
#include <mazu/pcpu.h>
#include <mazu/vma.h>

struct addrspace {
	struct list link; /* all spaces: kernel_map_lock */
	struct pagetable pt;
	struct page_quota quota; /* pages of the program and its tables */
	uptr start;		 /* its addresses: [start, end) */
	uptr end;
	u32 window; /* shared profile: which */
	struct vma_set areas;
};

RESULT_TYPE(addrspace, struct addrspace *);

/* An empty space that may hold `page_limit` pages, tables included. ERR_NOMEM; ERR_NOSPC: too many. */
struct result_addrspace __must_check addrspace_create(u64 page_limit);

/*
 * Gives back all of it. A hart that runs this uses no space afterwards, if it used this one; no
 * other hart may use it. NULL is ignored.
 */
void addrspace_destroy(struct addrspace *space);

/* This hart uses `space` from now on; NULL: no program's. What a task uses goes with it: task_use_space(). Preemption off. */
void addrspace_switch(struct addrspace *space);

/* The one that this hart uses, or NULL. */
static inline struct addrspace *addrspace_current(void)
{
	return this_cpu()->space;
}

/* ---- Areas ---- */

/*
 * `size` bytes that read as zero; at `address`, or where there is room when that is 0. Returns where.
 * ERR_ACCESS: writable and executable; ERR_INVAL: misaligned, empty, outside of the space, bad
 * rights; ERR_EXIST: something is there; ERR_NOSPC: too many areas; ERR_NOMEM: no room.
 */
struct result_u64 __must_check addrspace_map(struct addrspace *space, uptr address, size_t size,
					     u32 rights);

/* A stack of `size` bytes, readable and writable, above a guard page. Returns its upper end. */
struct result_u64 __must_check addrspace_map_stack(struct addrspace *space, size_t size);

/* What is mapped in [address, address + size) is gone. Errors as for vma_remove; ERR_NOMEM. */
enum error __must_check addrspace_unmap(struct addrspace *space, uptr address, size_t size);

/* New rights; errors as for addrspace_map and vma_protect. */
enum error __must_check addrspace_protect(struct addrspace *space, uptr address, size_t size,
					  u32 rights);

/*
 * Makes `size` bytes of `from`, at `address`, appear in `to` as well, with `rights`; at `at`, or
 * where there is room when that is 0. Pages that were not there yet become real. Returns where.
 * Errors as for addrspace_map; ERR_FAULT: `from` has no such area. On an error nothing is mapped.
 */
struct result_u64 __must_check addrspace_share(struct addrspace *from, uptr address, size_t size,
					       struct addrspace *to, uptr at, u32 rights);

/*
 * Makes the page of a fault present, if the program may access it. ERR_FAULT: it may not; ERR_NOMEM: no
 * memory, or over its limit.
 */
enum error __must_check addrspace_fault(struct addrspace *space, const struct fault *fault);

/* ---- Both profiles: kernel/mm/space_private.c or space_shared.c ---- */

/* Addresses and a table for a new space, or back again. */
enum error __must_check space_table_get(struct addrspace *space);
void space_table_put(struct addrspace *space);

#endif
