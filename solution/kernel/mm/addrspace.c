/*
 * Address spaces: areas say what is allowed, the table says what is there, the quota who pays.
 *
 * Invariants, between calls:
 *	- A page in the table lies in an area, and has that area's rights.
 *	- quota.used = pages in the table + tables.
 *	- A page that others map, too, does not become executable, and a shared area's rights only
 *	  shrink, so no page is writable in one space and executable in another.
 *
 * Every change checks first and commits afterwards: it tries the areas before it touches a page.
 * Loops over pages cost what is present, not what the range spans (pt_next).
 *
 * Left out: files behind areas, copy on write, and finding room from above.
 */
#include <mazu/addrspace.h>
#include <mazu/kernel_map.h>
#include <mazu/kmalloc.h>
#include <mazu/page.h>
#include <mazu/panic.h>
#include <mazu/pcpu.h>

/* Pages for which other harts are interrupted once. */
#define BATCH_MAX 32

/* ---- Life ---- */

struct result_addrspace addrspace_create(u64 page_limit)
{
	if (!kernel_map_is_on())
		return result_addrspace_err(ERR_NOTSUP);

	struct result_ptr memory = kmalloc_zero(sizeof(struct addrspace));
	struct addrspace *space = memory.value;

	if (memory.err)
		return result_addrspace_err(memory.err);
	space->quota.limit = page_limit;
	space->pt.quota = &space->quota;

	enum error err = space_table_get(space);

	if (!err)
		return result_addrspace_ok(space);
	kfree(space, sizeof(*space));
	return result_addrspace_err(err);
}

/* Pages that nobody has any more, but of which other harts may not know that yet. */
struct page_batch {
	void *pages[BATCH_MAX];
	u32 count;
};

static void batch_put(struct addrspace *space, struct page_batch *batch)
{
	tlb_deferred_flush(space->pt.asid);
	for (u32 i = 0; i < batch->count; i++)
		page_put(batch->pages[i]);
	page_quota_give(&space->quota, batch->count);
	batch->count = 0;
}

static void page_drop(struct addrspace *space, uptr address, struct page_batch *batch)
{
	struct result_u64 physical;

	if (batch->count == 0)
		tlb_defer(space->pt.asid);
	physical = pt_unmap(&space->pt, address);
	if (physical.err)
		panic("addrspace: no page at 0x%lx", address);
	batch->pages[batch->count++] = phys_to_virt(physical.value);
	if (batch->count == BATCH_MAX)
		batch_put(space, batch);
}

static void pages_drop(struct addrspace *space, uptr start, uptr end)
{
	struct page_batch batch = { .count = 0 };

	for (uptr at = start; (at = pt_next(&space->pt, at, end)) < end; at += PAGE_SIZE)
		page_drop(space, at, &batch);
	batch_put(space, &batch);
	pt_prune(&space->pt, start, end);
}

void addrspace_destroy(struct addrspace *space)
{
	if (!space)
		return;
	if (addrspace_current() == space)
		addrspace_switch(NULL);
	for (u32 i = 0; i < space->areas.count; i++)
		pages_drop(space, space->areas.at[i].start, space->areas.at[i].end);
	space_table_put(space);
	ASSERT(space->quota.used == 0);
	kfree(space, sizeof(*space));
}

void addrspace_switch(struct addrspace *space)
{
	const struct pagetable *pt = space ? &space->pt : &kernel_pagetable;

	this_cpu()->space = space;
	tlb_use(pt->asid);
	mmu_use(virt_to_phys(pt->root), pt->asid);
	if (IS_ENABLED(CONFIG_SPACE_SHARED))
		return;
	if (space && !pt->asid) /* this hart cannot tell spaces apart */
		arch_tlb_flush_asid(0);
}

/* ---- Areas ---- */

/* A whole number of pages within the space. */
static bool range_valid(const struct addrspace *space, uptr address, size_t size)
{
	return size > 0 && ((address | size) & PAGE_MASK) == 0 && address >= space->start &&
	       address < space->end && size <= space->end - address;
}

static enum error rights_check(u32 rights)
{
	if (!(rights & VM_RIGHTS))
		return ERR_INVAL;
	if (rights & VM_WRITE && rights & VM_EXEC)
		return ERR_ACCESS;
	return vm_rights_valid(rights) ? OK : ERR_INVAL;
}

/* Where an area of `size` bytes goes: at `address`, or where there is room when that is 0. */
static struct result_u64 area_place(const struct addrspace *space, uptr address, size_t size)
{
	if (address == 0 && size > 0 && (size & PAGE_MASK) == 0)
		return vma_find_gap(&space->areas, space->start, space->end, size);
	return range_valid(space, address, size) ? result_u64_ok(address)
						 : result_u64_err(ERR_INVAL);
}

static struct result_u64 area_add(struct addrspace *space, uptr address, size_t size, u32 rights,
				  enum vma_kind kind)
{
	struct result_u64 at = area_place(space, address, size);

	if (!at.err)
		at.err = vma_insert(&space->areas, (struct vma){ at.value, at.value + size,
								 (u8)rights, (u8)kind });
	return at.err ? result_u64_err(at.err) : at;
}

struct result_u64 addrspace_map(struct addrspace *space, uptr address, size_t size, u32 rights)
{
	enum error err = rights_check(rights);

	return err ? result_u64_err(err) : area_add(space, address, size, rights, VMA_ZERO);
}

struct result_u64 addrspace_map_stack(struct addrspace *space, size_t size)
{
	if (size == 0 || (size & PAGE_MASK) != 0 || size > SIZE_MAX - PAGE_SIZE)
		return result_u64_err(ERR_INVAL);

	struct result_u64 at =
		vma_find_gap(&space->areas, space->start, space->end, size + PAGE_SIZE);

	if (!at.err)
		at = area_add(space, at.value, PAGE_SIZE, 0, VMA_GUARD);
	if (at.err)
		return at;

	uptr base = at.value + PAGE_SIZE;
	enum error err = area_add(space, base, size, VM_READ | VM_WRITE, VMA_ZERO).err;

	if (!err)
		return result_u64_ok(base + size);
	if (vma_remove(&space->areas, at.value, base))
		panic("addrspace: a guard cannot be removed");
	return result_u64_err(err);
}

enum error addrspace_unmap(struct addrspace *space, uptr address, size_t size)
{
	if (!range_valid(space, address, size))
		return ERR_INVAL;

	enum error err = vma_remove(&space->areas, address, address + size);

	if (!err)
		pages_drop(space, address, address + size);
	return err;
}

/* Nobody else's page becomes executable, and a shared area gets no right that it did not have. */
static enum error protect_check(const struct addrspace *space, uptr start, uptr end, u32 rights)
{
	for (u32 i = 0; i < space->areas.count; i++) {
		const struct vma *area = &space->areas.at[i];

		if (area->start < end && start < area->end && area->kind == VMA_SHARED &&
		    rights & ~area->rights)
			return ERR_ACCESS;
	}
	if (!(rights & VM_EXEC))
		return OK;
	for (uptr at = start; (at = pt_next(&space->pt, at, end)) < end; at += PAGE_SIZE)
		if (page_owners(phys_to_virt(pte_physical(*pt_walk(&space->pt, at).entry))) > 1)
			return ERR_ACCESS;
	return OK;
}

enum error addrspace_protect(struct addrspace *space, uptr address, size_t size, u32 rights)
{
	uptr end = address + size;

	if (!range_valid(space, address, size))
		return ERR_INVAL;

	enum error err = rights_check(rights);

	if (!err)
		err = protect_check(space, address, end, rights);
	if (!err)
		err = vma_protect(&space->areas, address, end, rights);
	if (err)
		return err;
	for (uptr at = address; (at = pt_next(&space->pt, at, end)) < end; at += PAGE_SIZE)
		if (pt_protect(&space->pt, at, rights | VM_USER))
			panic("addrspace: no page at 0x%lx", at);
	if (rights & VM_EXEC)
		icache_flush();
	return OK;
}

/* ---- Pages ---- */

/* The quota is charged for a page that is mapped. */
static enum error page_map(struct addrspace *space, uptr address, void *page, u32 rights)
{
	enum error err = page_quota_take(&space->quota, 1);

	if (err)
		return err;
	err = pt_map(&space->pt, address, virt_to_phys(page), 0, rights | VM_USER);
	if (err)
		page_quota_give(&space->quota, 1);
	return err;
}

/* A new page of zeros. */
static enum error page_add(struct addrspace *space, uptr address, u32 rights)
{
	struct result_ptr page = page_alloc_zero(PAGE_USER);

	if (page.err)
		return page.err;

	enum error err = page_map(space, address, page.value, rights);

	if (err)
		page_put(page.value);
	return err;
}

enum error addrspace_fault(struct addrspace *space, const struct fault *fault)
{
	uptr page = fault->address & ~PAGE_MASK;
	const struct vma *area = vma_find(&space->areas, fault->address);

	if (!area || vma_check(&space->areas, fault->address, 1, fault->access))
		return ERR_FAULT;

	enum error err = area->kind == VMA_ZERO ? page_add(space, page, area->rights) : ERR_FAULT;

	if (!err || !pte_is_valid(*pt_walk(&space->pt, page).entry))
		return err;
	tlb_notice_page(page, space->pt.asid); /* it was there, and the hart had not noticed */
	return OK;
}

/* The page of `from` at `address`, made real if it was not. */
static struct result_ptr page_touch(struct addrspace *from, uptr address)
{
	struct fault fault = { .address = address, .access = VM_READ };
	u64 entry = *pt_walk(&from->pt, address).entry;
	enum error err = pte_is_valid(entry) ? OK : addrspace_fault(from, &fault);

	if (err)
		return result_ptr_err(err);
	entry = *pt_walk(&from->pt, address).entry;
	return result_ptr_ok(phys_to_virt(pte_physical(entry)));
}

static enum error page_share(struct addrspace *from, uptr address, struct addrspace *to, uptr at,
			     u32 rights)
{
	struct result_ptr page = page_touch(from, address);

	if (page.err)
		return page.err;

	enum error err = page_map(to, at, page.value, rights);

	if (!err)
		page_get(page.value);
	return err;
}

struct result_u64 addrspace_share(struct addrspace *from, uptr address, size_t size,
				  struct addrspace *to, uptr at, u32 rights)
{
	enum error err = rights_check(rights);

	if (!err && rights & VM_EXEC)
		err = ERR_ACCESS;
	if (!err && !range_valid(from, address, size))
		err = ERR_INVAL;
	if (!err)
		err = vma_check(&from->areas, address, size, rights | VM_READ);
	if (err)
		return result_u64_err(err);

	struct result_u64 place = area_add(to, at, size, rights, VMA_SHARED);

	if (place.err)
		return place;
	for (size_t offset = 0; offset < size && !err; offset += PAGE_SIZE)
		err = page_share(from, address + offset, to, place.value + offset, rights);
	if (!err)
		return place;
	if (addrspace_unmap(to, place.value, size))
		panic("addrspace: a new area cannot be removed");
	return result_u64_err(err);
}
