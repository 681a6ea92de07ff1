/*
 * vma.h - which addresses of a program mean something, and what it may do with them.
 *
 * An area is a run of pages with the same rights and the same backing. A program's areas are an
 * array, sorted by address: finding one is a binary search, and the number of areas is
 * bounded (CONFIG_VMA_MAX), and with it every loop here.
 *
 * Invariants: start < end, both page-aligned; areas do not overlap; neighbours that touch and have
 * the same rights and kind are one area (guards and shared areas excepted); no area is writable
 * and executable.
 *
 * Pure logic: no page table, no allocation, host-tested. Guarded by the owner of the set.
 */
#ifndef MAZU_VMA_H
#define MAZU_VMA_H

#include <mazu/error.h>
#include <mazu/types.h>

/* Rights, of areas and of pages. */
#define VM_READ 1U
#define VM_WRITE 2U
#define VM_EXEC 4U
#define VM_USER 8U /* of pages: user mode may use them */
#define VM_RIGHTS (VM_READ | VM_WRITE | VM_EXEC)

enum vma_kind {
	VMA_ZERO,   /* pages appear, all zero, when they are first touched */
	VMA_SHARED, /* pages that others map, too; present from the start */
	VMA_GUARD,  /* nothing is there, and nothing may be put there; no rights */
};

struct vma {
	uptr start;
	uptr end;  /* behind the last byte */
	u8 rights; /* VM_READ, VM_WRITE, VM_EXEC */
	u8 kind;   /* enum vma_kind */
};

struct vma_set {
	u32 count;
	struct vma at[CONFIG_VMA_MAX];
};

/* Whether rights are acceptable: none unknown, not writable without readable, W^X. */
bool vm_rights_valid(u32 rights);

/* The area that contains `address`, or NULL. Inline: every fault and every copy begins with it. */
static inline const struct vma *vma_find(const struct vma_set *set, uptr address)
{
	const struct vma *low = set->at;

	for (size_t count = set->count; count > 0;) {
		size_t half = count / 2;
		const struct vma *middle = low + half;

		if (address < middle->start) {
			count = half;
		} else if (address < middle->end) {
			return middle;
		} else {
			low = middle + 1;
			count -= half + 1;
		}
	}
	return NULL;
}

/* ERR_EXIST: overlaps another; ERR_NOSPC: too many; ERR_INVAL: breaks an invariant. */
enum error __must_check vma_insert(struct vma_set *set, struct vma vma);

/*
 * Cuts [start, end), page-aligned, out of whatever lies there, which may be nothing. ERR_NOSPC:
 * an area would fall in two and there is no room; nothing changed. ERR_INVAL.
 */
enum error __must_check vma_remove(struct vma_set *set, uptr start, uptr end);

/*
 * New rights for [start, end), page-aligned, which areas cover without a gap or a guard (else
 * ERR_FAULT). ERR_INVAL: bad rights; ERR_NOSPC: too many pieces, before those that are alike are
 * joined. On an error nothing changed.
 */
enum error __must_check vma_protect(struct vma_set *set, uptr start, uptr end, u32 rights);

/* The lowest free `size` bytes, a multiple of the page size, in [low, high); ERR_NOMEM: none. */
struct result_u64 __must_check vma_find_gap(const struct vma_set *set, uptr low, uptr high,
					    size_t size);

/*
 * Whether a program may access all of [start, start + size) in every way that `access` names
 * (VM_READ, VM_WRITE, VM_EXEC; at least one). OK, or ERR_FAULT: a byte lies in no area, or in
 * one without such a right, or the range wraps. Nothing (size 0) is always allowed.
 */
enum error __must_check vma_check(const struct vma_set *set, uptr start, size_t size, u32 access);

#endif
