/*
 * Areas of an address space: a sorted array, and the cuts that every change of it comes down to.
 *
 * To change a range, the array is first cut at both of its ends, so that the range is a run of
 * whole areas; then the run is changed; then neighbours that have become alike are joined. A cut
 * needs a place in the array, so whether both can be made is asked before either is. To remove a
 * range, what lies across its ends is shortened, which needs no place; only a hole in the middle
 * of an area does.
 *
 * Every loop is bounded by CONFIG_VMA_MAX, and finding an area by its logarithm.
 */
#include <mazu/mem.h>
#include <mazu/page.h>
#include <mazu/vma.h>

bool vm_rights_valid(u32 rights)
{
	if (rights & ~VM_RIGHTS || (rights & VM_WRITE && !(rights & VM_READ)))
		return false;
	return !(rights & VM_WRITE && rights & VM_EXEC);
}

/* ---- Finding ---- */

/* The first area that ends above `address`; `count` when there is none. */
static u32 index_of(const struct vma_set *set, uptr address)
{
	u32 low = 0, high = set->count;

	while (low < high) {
		u32 middle = (low + high) / 2;

		if (set->at[middle].end > address)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

struct result_u64 vma_find_gap(const struct vma_set *set, uptr low, uptr high, size_t size)
{
	uptr at = low;

	for (u32 i = index_of(set, low); i < set->count; i++) {
		if (set->at[i].start > at && set->at[i].start - at >= size)
			break;
		at = set->at[i].end;
	}
	return at < high && high - at >= size ? result_u64_ok(at) : result_u64_err(ERR_NOMEM);
}

/* ---- The array ---- */

static void slot_open(struct vma_set *set, u32 index)
{
	memmove(&set->at[index + 1], &set->at[index], (set->count - index) * sizeof(set->at[0]));
	set->count++;
}

static void slots_close(struct vma_set *set, u32 first, u32 end)
{
	memmove(&set->at[first], &set->at[end], (set->count - end) * sizeof(set->at[0]));
	set->count -= end - first;
}

static bool range_valid(uptr start, uptr end)
{
	return start < end && ((start | end) & PAGE_MASK) == 0;
}

/* Whether an area lies on both sides of `address`. */
static bool is_inside(const struct vma_set *set, uptr address)
{
	u32 index = index_of(set, address);

	return index < set->count && set->at[index].start < address;
}

/* Whether there is room for the cuts at both ends of a range. */
static bool can_cut(const struct vma_set *set, uptr start, uptr end)
{
	u32 cuts = (u32)is_inside(set, start) + (u32)is_inside(set, end);

	return cuts <= CONFIG_VMA_MAX - set->count;
}

/* Makes `address` a boundary; returns the index of the first area behind it. */
static u32 cut(struct vma_set *set, uptr address)
{
	u32 index = index_of(set, address);

	if (!is_inside(set, address))
		return index;
	slot_open(set, index);
	set->at[index].end = address;
	set->at[index + 1].start = address;
	return index + 1;
}

static bool can_join(const struct vma *left, const struct vma *right)
{
	return left->end == right->start && left->rights == right->rights &&
	       left->kind == right->kind && left->kind == VMA_ZERO;
}

/* Joins what has become alike among areas [first - 1, end]. */
static void join(struct vma_set *set, u32 first, u32 end)
{
	for (u32 i = MIN(end, set->count - 1); i > 0 && i >= first; i--)
		if (can_join(&set->at[i - 1], &set->at[i])) {
			set->at[i - 1].end = set->at[i].end;
			slots_close(set, i, i + 1);
		}
}

/* ---- Changes ---- */

enum error vma_insert(struct vma_set *set, struct vma vma)
{
	u32 index = index_of(set, vma.start);

	if (!range_valid(vma.start, vma.end) || !vm_rights_valid(vma.rights) ||
	    vma.kind > VMA_GUARD || (vma.kind == VMA_GUARD) != (vma.rights == 0))
		return ERR_INVAL;
	if (index < set->count && set->at[index].start < vma.end)
		return ERR_EXIST;
	if (index > 0 && can_join(&set->at[index - 1], &vma)) {
		set->at[index - 1].end = vma.end;
	} else if (index < set->count && can_join(&vma, &set->at[index])) {
		set->at[index].start = vma.start;
	} else {
		if (set->count == CONFIG_VMA_MAX)
			return ERR_NOSPC;
		slot_open(set, index);
		set->at[index] = vma;
	}
	join(set, index, index);
	return OK;
}

/* One area becomes two, with a gap between them. */
static enum error punch(struct vma_set *set, u32 index, uptr start, uptr end)
{
	if (set->count == CONFIG_VMA_MAX)
		return ERR_NOSPC;
	slot_open(set, index);
	set->at[index].end = start;
	set->at[index + 1].start = end;
	return OK;
}

enum error vma_remove(struct vma_set *set, uptr start, uptr end)
{
	if (!range_valid(start, end))
		return ERR_INVAL;

	u32 first = index_of(set, start), behind = index_of(set, end);

	if (first == behind && is_inside(set, start))
		return punch(set, first, start, end);
	if (is_inside(set, start))
		set->at[first++].end = start;
	if (is_inside(set, end))
		set->at[behind].start = end;
	slots_close(set, first, behind);
	return OK;
}

/* Whether areas that may have rights cover the range. */
static bool is_covered(const struct vma_set *set, uptr start, uptr end)
{
	for (u32 i = index_of(set, start); start < end; i++) {
		if (i == set->count || set->at[i].start > start || set->at[i].kind == VMA_GUARD)
			return false;
		start = set->at[i].end;
	}
	return true;
}

enum error vma_protect(struct vma_set *set, uptr start, uptr end, u32 rights)
{
	if (!range_valid(start, end) || !vm_rights_valid(rights) || rights == 0)
		return ERR_INVAL;
	if (!is_covered(set, start, end))
		return ERR_FAULT;
	if (!can_cut(set, start, end))
		return ERR_NOSPC;

	u32 first = cut(set, start), behind = cut(set, end);

	for (u32 i = first; i < behind; i++)
		set->at[i].rights = (u8)rights;
	join(set, first, behind);
	return OK;
}
