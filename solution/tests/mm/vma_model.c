/*
 * The naive model of a set of areas: see vma_model.h.
 *
 * A change is made to a copy of the pages first. If that has more areas than there may be, the
 * change is to be refused, and the copy is forgotten.
 */
#include "vma_model.h"

#include <mazu/mem.h>

static struct model_page draft[MODEL_PAGES];

void vma_pair_init(struct vma_pair *pair)
{
	memset(pair, 0, sizeof(*pair));
}

static u32 page_of(uptr address)
{
	return (u32)((address - MODEL_BASE) / PAGE_SIZE);
}

static bool range_valid(uptr start, uptr end)
{
	return start < end && start % PAGE_SIZE == 0 && end % PAGE_SIZE == 0;
}

static bool rights_valid(u32 rights)
{
	return rights == 0 || rights == VM_READ || rights == VM_EXEC ||
	       rights == (VM_READ | VM_WRITE) || rights == (VM_READ | VM_EXEC);
}

/* ---- Changes ---- */

static void draft_begin(const struct vma_pair *pair)
{
	memcpy(draft, pair->pages, sizeof(draft));
}

static u32 draft_areas(void)
{
	u32 count = 0;

	for (u32 i = 0; i < MODEL_PAGES; i++)
		count += draft[i].used && draft[i].first;
	return count;
}

/* An area begins at this page, if there is one. */
static void draft_cut(u32 page)
{
	if (page < MODEL_PAGES && draft[page].used)
		draft[page].first = true;
}

static void draft_join(void)
{
	for (u32 i = 1; i < MODEL_PAGES; i++)
		if (draft[i].used && draft[i - 1].used && draft[i].kind == VMA_ZERO &&
		    draft[i - 1].kind == VMA_ZERO && draft[i].rights == draft[i - 1].rights)
			draft[i].first = false;
}

/* What the call should say, and the copy taken over if that is OK. */
static enum error draft_end(struct vma_pair *pair, bool fits)
{
	if (!fits)
		return ERR_NOSPC;
	memcpy(pair->pages, draft, sizeof(draft));
	return OK;
}

static enum error model_insert(struct vma_pair *pair, struct vma vma)
{
	if (!range_valid(vma.start, vma.end) || !rights_valid(vma.rights) || vma.kind > VMA_GUARD ||
	    (vma.kind == VMA_GUARD) != (vma.rights == 0))
		return ERR_INVAL;
	draft_begin(pair);
	for (u32 i = page_of(vma.start); i < page_of(vma.end); i++) {
		if (draft[i].used)
			return ERR_EXIST;
		draft[i] =
			(struct model_page){ true, i == page_of(vma.start), vma.rights, vma.kind };
	}
	draft_join();
	return draft_end(pair, draft_areas() <= CONFIG_VMA_MAX);
}

bool vma_pair_insert(struct vma_pair *pair, struct vma vma)
{
	return vma_insert(&pair->set, vma) == model_insert(pair, vma);
}

static enum error model_remove(struct vma_pair *pair, uptr start, uptr end)
{
	if (!range_valid(start, end))
		return ERR_INVAL;
	draft_begin(pair);
	draft_cut(page_of(end));
	for (u32 i = page_of(start); i < page_of(end); i++)
		draft[i].used = false;
	return draft_end(pair, draft_areas() <= CONFIG_VMA_MAX);
}

bool vma_pair_remove(struct vma_pair *pair, uptr start, uptr end)
{
	return vma_remove(&pair->set, start, end) == model_remove(pair, start, end);
}

static enum error model_protect(struct vma_pair *pair, uptr start, uptr end, u32 rights)
{
	if (!range_valid(start, end) || !rights_valid(rights) || rights == 0)
		return ERR_INVAL;
	draft_begin(pair);
	draft_cut(page_of(start));
	draft_cut(page_of(end));
	for (u32 i = page_of(start); i < page_of(end); i++) {
		if (!draft[i].used || draft[i].kind == VMA_GUARD)
			return ERR_FAULT;
		draft[i].rights = (u8)rights;
	}

	bool fits = draft_areas() <= CONFIG_VMA_MAX; /* before the joining, as the header says */

	draft_join();
	return draft_end(pair, fits);
}

bool vma_pair_protect(struct vma_pair *pair, uptr start, uptr end, u32 rights)
{
	return vma_protect(&pair->set, start, end, rights) ==
	       model_protect(pair, start, end, rights);
}

/* ---- Questions ---- */

static bool is_free(const struct vma_pair *pair, u32 first, u64 count)
{
	for (u64 i = first; i < first + count; i++)
		if (pair->pages[i].used)
			return false;
	return true;
}

bool vma_pair_find_gap(const struct vma_pair *pair, u32 low_page, u32 high_page, size_t size)
{
	struct result_u64 found =
		vma_find_gap(&pair->set, MODEL_AT(low_page), MODEL_AT(high_page), size);
	u64 count = size / PAGE_SIZE;

	for (u32 i = low_page; i < high_page && count <= high_page - i; i++)
		if (is_free(pair, i, count))
			return !found.err && found.value == MODEL_AT(i);
	return found.err == ERR_NOMEM;
}

/* Page by page; what lies outside of the model's pages is not there. */
static enum error model_check(const struct vma_pair *pair, uptr start, size_t size, u32 access)
{
	uptr last = start + size - 1;

	if (size == 0)
		return OK;
	if (last < start || start < MODEL_BASE || last >= MODEL_AT(MODEL_PAGES))
		return ERR_FAULT;
	for (u32 i = page_of(start); i <= page_of(last); i++)
		if (!pair->pages[i].used || access & ~pair->pages[i].rights)
			return ERR_FAULT;
	return OK;
}

bool vma_pair_check(const struct vma_pair *pair, uptr start, size_t size, u32 access)
{
	return vma_check(&pair->set, start, size, access) == model_check(pair, start, size, access);
}

/* ---- Whether both hold the same ---- */

/* The area of the set that begins at this page is the model's, to its end. */
static bool area_agrees(const struct vma_pair *pair, const struct vma *area)
{
	u32 page = page_of(area->start), end = page_of(area->end);
	const struct model_page *first = &pair->pages[page];

	if (!range_valid(area->start, area->end) || area->start < MODEL_BASE || end > MODEL_PAGES ||
	    !first->used || !first->first || area->rights != first->rights ||
	    area->kind != first->kind)
		return false;
	while (++page < end)
		if (!pair->pages[page].used || pair->pages[page].first)
			return false;
	return page == MODEL_PAGES || !pair->pages[page].used || pair->pages[page].first;
}

static bool found_agrees(const struct vma_pair *pair, u32 page, const struct vma *area)
{
	return vma_find(&pair->set, MODEL_AT(page)) == area &&
	       vma_find(&pair->set, MODEL_AT(page) + PAGE_MASK) == area;
}

bool vma_pair_agrees(const struct vma_pair *pair)
{
	const struct vma *area = pair->set.at, *end = area + pair->set.count;
	const struct vma *here = NULL;

	if (pair->set.count > CONFIG_VMA_MAX)
		return false;
	for (u32 i = 0; i < MODEL_PAGES; i++) {
		if (!pair->pages[i].used) {
			here = NULL;
		} else if (pair->pages[i].first) {
			here = area++;
			if (here == end || here->start != MODEL_AT(i) || !area_agrees(pair, here))
				return false;
		}
		if (!found_agrees(pair, i, here))
			return false;
	}
	return area == end;
}

/* ---- Random calls ---- */

static u32 draw(u64 *random, u32 bound)
{
	u32 drawn = (u32)(*random % bound);

	*random /= bound;
	return drawn;
}

/* Mostly a few pages: the set should be full at times. Rarely what makes no sense. */
static struct vma draw_range(u64 *random)
{
	u32 page = draw(random, MODEL_PAGES);
	u32 most = MIN(MODEL_PAGES - page, draw(random, 64) == 0 ? MODEL_PAGES : 4U);
	u32 count = 1 + draw(random, most);
	struct vma range = { .start = MODEL_AT(page), .end = MODEL_AT(page + count) };

	switch (draw(random, 128)) {
	case 0: range.start += 1; break;
	case 1: range.end -= PAGE_SIZE / 2; break;
	case 2: range.end = range.start; break;
	case 3: range.end = MODEL_AT(page) - PAGE_SIZE; break;
	case 4: range.end = 0; break;
	default: break;
	}
	return range;
}

bool vma_pair_step(struct vma_pair *pair, u64 random)
{
	static const u8 rights[] = { 1, 3, 5, 4, 1, 3, 2, 6, 7, 8, 0 };
	u32 kind = draw(&random, 8);
	struct vma vma = draw_range(&random);
	size_t size = vma.end - vma.start;
	bool good;

	vma.rights = rights[draw(&random, draw(&random, 16) ? 6 : ARRAY_SIZE(rights))];
	vma.kind = (u8)draw(&random, 4);
	if (vma.kind == VMA_GUARD)
		vma.rights = 0;
	else if (vma.kind == VMA_GUARD + 1 && draw(&random, 16))
		vma.kind = VMA_ZERO;
	if (kind < 3)
		good = vma_pair_insert(pair, vma);
	else if (kind < 5)
		good = vma_pair_remove(pair, vma.start, vma.end);
	else if (kind < 7)
		good = vma_pair_protect(pair, vma.start, vma.end, vma.rights);
	else
		good = vma_pair_find_gap(pair, draw(&random, MODEL_PAGES), MODEL_PAGES,
					 MAX(size & ~PAGE_MASK, PAGE_SIZE));
	return good && vma_pair_agrees(pair) &&
	       vma_pair_check(pair, vma.start + draw(&random, 3) - 1, size - draw(&random, 3) + 1,
			      1 + draw(&random, 7));
}
