/*
 * The kernel's own page table: made once at boot from what the memory map, the linker and the
 * device tree say, and changed afterwards only to hide a page or show it again.
 *
 * Virtual is physical, so the boot goes on where it was when translation is switched on, and each
 * page has exactly one address and one set of rights in the kernel: there is no second view
 * through which text could be written. User spaces have the same entries in their roots. They are
 * copies, so when an entry of the root changes, which happens when a page of 1 GiB is split for
 * the first time, every space gets the new one.
 *
 * Without memory for the tables the boot goes on without translation, and says so: whatever
 * depends on "kernel_map" does not start.
 */
#include <arch/layout.h>
#include <mazu/addrspace.h>
#include <mazu/board.h>
#include <mazu/init.h>
#include <mazu/kernel_map.h>
#include <mazu/memmap.h>
#include <mazu/page.h>
#include <mazu/panic.h>
#include <mazu/pcpu.h>
#include <mazu/printk.h>
#include <mazu/spinlock.h>

/* Devices are small; what claims to be larger is mapped up to here. */
#define DEVICE_SIZE_MAX (64UL << 20)

extern char _kernel_start[], _kernel_end[], boot_stack[], emergency_stack[], idle_stack[],
	_text_start[];
extern char _rodata_start[], _data_start[];

/* Counts its tables, and has no limit. */
static struct page_quota kernel_quota = { .limit = UINT64_MAX }; /* kernel_map_lock */

struct pagetable kernel_pagetable = { .quota = &kernel_quota }; /* kernel_map_lock */

static struct spinlock kernel_map_lock = SPINLOCK_INIT(LOCK_KERNEL_MAP);
static struct list spaces = { &spaces, &spaces }; /* kernel_map_lock */
static bool is_on;				  /* written once, at boot */

bool kernel_map_is_on(void)
{
	return is_on;
}

/* ---- What is where ---- */

static enum error map_pages(uptr start, uptr end, u32 rights)
{
	return pt_map_range(&kernel_pagetable, start, start, end - start, rights);
}

/* The image's parts, in the order of kernel.lds.S; in front of each stack a guard is left out. */
static enum error map_image(void)
{
	const struct {
		uptr start, end;
		u32 rights;
	} parts[] = {
		{ (uptr)_kernel_start, (uptr)boot_stack, VM_READ | VM_EXEC },
		{ (uptr)boot_stack + STACK_GUARD, (uptr)emergency_stack, VM_READ | VM_WRITE },
		{ (uptr)emergency_stack + STACK_GUARD, (uptr)idle_stack, VM_READ | VM_WRITE },
		{ (uptr)idle_stack + STACK_GUARD, (uptr)_text_start, VM_READ | VM_WRITE },
		{ (uptr)_text_start, (uptr)_rodata_start, VM_READ | VM_EXEC },
		{ (uptr)_rodata_start, (uptr)_data_start, VM_READ },
		{ (uptr)_data_start, ALIGN_UP((uptr)_kernel_end, PAGE_SIZE), VM_READ | VM_WRITE },
	};
	enum error err = OK;

	for (size_t i = 0; i < ARRAY_SIZE(parts) && !err; i++)
		err = map_pages(parts[i].start, parts[i].end, parts[i].rights);
	return err;
}

/* 0: not a region that is mapped as a whole. */
static u32 region_rights(const struct memmap_region *region)
{
	switch (region->owner) {
	case PAGE_FIRMWARE:
	case PAGE_IMAGE: return 0;
	case PAGE_BOOT: return VM_READ;
	default: return VM_READ | VM_WRITE;
	}
}

/* Neighbours with the same rights go together, so that their pages can be large. */
static enum error map_memory(void)
{
	const struct memmap *map = page_memmap();
	enum error err = map_image();

	for (u32 i = 0; i < map->count && !err; i++) {
		u64 start = map->at[i].start;
		u32 rights = region_rights(&map->at[i]);

		while (i + 1 < map->count && map->at[i + 1].start == map->at[i].end &&
		       region_rights(&map->at[i + 1]) == rights)
			i++;
		if (rights)
			err = map_pages(start, map->at[i].end, rights);
	}
	return err;
}

/* Devices may share a page. */
static enum error map_device(const struct board_device *device)
{
	u64 size = MIN(device->reg.size, DEVICE_SIZE_MAX);
	uptr start = device->reg.base & ~PAGE_MASK;
	uptr end = ALIGN_UP(device->reg.base + size, PAGE_SIZE);

	if (!device->present || start >= end || end > ARCH_PHYSICAL_END)
		return OK;

	enum error err = map_pages(start, end, VM_READ | VM_WRITE);

	return err == ERR_EXIST ? OK : err;
}

static enum error map_devices(void)
{
	const struct board_device *const devices[] = { &board.uart, &board.plic, &board.rtc,
						       &board.test };
	enum error err = OK;

	for (size_t i = 0; i < ARRAY_SIZE(devices) && !err; i++)
		err = map_device(devices[i]);
	for (u32 i = 0; i < board.virtio_count && !err; i++)
		err = map_device(&board.virtio[i]);
	return err;
}

/* ---- Boot ---- */

static enum error kernel_map_make(void)
{
	struct result_ptr root = pt_table_alloc(&kernel_pagetable);
	enum error err = root.err;

	kernel_pagetable.root = root.value;
	if (!err)
		err = map_memory();
	if (!err)
		err = map_devices();
	return err;
}

static void kernel_map_discard(void)
{
	if (!kernel_pagetable.root)
		return;
	pt_release(&kernel_pagetable, 0, ARCH_PHYSICAL_END);
	pt_table_free(&kernel_pagetable, kernel_pagetable.root);
	kernel_pagetable.root = NULL;
}

void kernel_map_enter(void)
{
	mmu_use(virt_to_phys(kernel_pagetable.root), 0);
	arch_tlb_flush_asid(0);
}

static enum error kernel_map_init(void)
{
	enum error err = kernel_map_make();

	if (err) {
		kernel_map_discard();
		pr_err("kernel map: %.*s: memory is not protected", STR_ARG(error_name(err)));
		return err;
	}
	kernel_map_enter();
	is_on = true;
	return OK;
}
INIT_TASK(kernel_map, kernel_map_init);

/* ---- Afterwards ---- */

void kernel_map_add_space(struct addrspace *space)
{
	spin_lock(&kernel_map_lock);
	for (u64 i = 0; i < pt_index(USER_START, PT_LEVELS - 1); i++)
		space->pt.root[i] = kernel_pagetable.root[i];
	list_push_back(&spaces, &space->link);
	spin_unlock(&kernel_map_lock);
}

void kernel_map_remove_space(struct addrspace *space)
{
	spin_lock(&kernel_map_lock);
	list_remove(&space->link);
	spin_unlock(&kernel_map_lock);
}

/* Bounded by CONFIG_SPACE_MAX. */
static void spaces_update_locked(uptr address)
{
	u64 index = pt_index(address, PT_LEVELS - 1);

	spin_assert_held(&kernel_map_lock);
	list_for_each(at, &spaces)
		pte_write(&container_of(at, struct addrspace, link)->pt.root[index],
			  kernel_pagetable.root[index]);
	tlb_flush_asid(0);
}

enum error kernel_map_hide(void *page)
{
	struct pt_slot slot;
	enum error err;

	spin_lock(&kernel_map_lock);
	slot = pt_walk(&kernel_pagetable, (uptr)page);
	err = pt_split(&kernel_pagetable, (uptr)page);
	if (slot.level == PT_LEVELS - 1)
		spaces_update_locked((uptr)page);
	if (!err)
		err = pt_unmap(&kernel_pagetable, (uptr)page).err;
	spin_unlock(&kernel_map_lock);
	return err;
}

void kernel_map_show(void *page)
{
	enum error err;

	spin_lock(&kernel_map_lock);
	err = pt_map(&kernel_pagetable, (uptr)page, virt_to_phys(page), 0, VM_READ | VM_WRITE);
	tlb_flush_page((uptr)page, 0); /* nobody here faults and looks again */
	spin_unlock(&kernel_map_lock);
	if (err)
		panic("kernel map: page 0x%lx cannot be shown again: %.*s", (uptr)page,
		      STR_ARG(error_name(err)));
}
