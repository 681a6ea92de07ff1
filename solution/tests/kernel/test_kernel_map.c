/*
 * The kernel's view of memory: W^X everywhere, nothing where nothing should be.
 */
#include <arch/layout.h>
#include <arch/trap.h>
#include <mazu/addrspace.h>
#include <mazu/board.h>
#include <mazu/buddy.h>
#include <mazu/kernel_map.h>
#include <mazu/kstack.h>
#include <mazu/mem.h>
#include <mazu/memmap.h>
#include <mazu/page.h>
#include <mazu/selftest.h>

extern char _kernel_start[], _text_start[], _text_end[], _rodata_start[], _rodata_end[];
extern char _data_start[], boot_stack[], emergency_stack[];

#define NOTHING 0U

/* The rights at an address, without VM_USER; NOTHING where there is no page. */
static u32 rights_at(uptr address)
{
	u64 entry = *pt_walk(&kernel_pagetable, address).entry;

	return pte_is_valid(entry) ? pte_rights(entry) & VM_RIGHTS : NOTHING;
}

SELFTEST(kernel_map_is_exclusive,
	 "no page is writable and executable, or a program's, and each is itself")
{
	uptr end = ARCH_PHYSICAL_END;
	u32 wrong = 0;

	REQUIRE(t, kernel_map_is_on());
	for (uptr at = 0; (at = pt_next(&kernel_pagetable, at, end)) < end;) {
		struct pt_slot slot = pt_walk(&kernel_pagetable, at);
		u32 rights = pte_rights(*slot.entry);

		wrong += (rights & VM_WRITE && rights & VM_EXEC) || rights & VM_USER ||
			 pte_physical(*slot.entry) != at;
		at += pt_level_size(slot.level);
	}
	CHECK_EQ(t, wrong, 0);
}

SELFTEST(kernel_map_image,
	 "text is executed, constants are read, data is written, and nothing more")
{
	CHECK_EQ(t, rights_at((uptr)_kernel_start), VM_READ | VM_EXEC);
	CHECK_EQ(t, rights_at((uptr)_text_start), VM_READ | VM_EXEC);
	CHECK_EQ(t, rights_at((uptr)_text_end - 1), VM_READ | VM_EXEC);
	CHECK_EQ(t, rights_at((uptr)_rodata_start), VM_READ);
	CHECK_EQ(t, rights_at((uptr)_rodata_end - 1), VM_READ);
	CHECK_EQ(t, rights_at((uptr)_data_start), VM_READ | VM_WRITE);
	CHECK_EQ(t, rights_at(board.tree.base), VM_READ);
}

SELFTEST(kernel_map_absent, "null, guard pages, the firmware and unnamed devices are not there")
{
	const struct memmap *map = page_memmap();

	CHECK_EQ(t, rights_at(0), NOTHING);
	CHECK(t, !arch_readable(0, 1));
	CHECK_EQ(t, rights_at((uptr)boot_stack), NOTHING);
	CHECK_EQ(t, rights_at((uptr)emergency_stack), NOTHING);
	CHECK_EQ(t, rights_at((uptr)boot_stack + STACK_GUARD), VM_READ | VM_WRITE);
	CHECK_EQ(t, rights_at(0x2000000), NOTHING); /* QEMU's CLINT: the firmware's */
	CHECK(t, !arch_readable(0x2000000, 1));
	for (u32 i = 0; i < map->count; i++)
		if (map->at[i].owner == PAGE_FIRMWARE)
			CHECK_EQ(t, rights_at(map->at[i].start), NOTHING);
}

/* A task's stack may lie anywhere: its first page is hidden. */
static bool is_guard(uptr address)
{
	const struct frame *frame = page_frame((void *)address);

	return frame && frame->state == FRAME_HELD && frame->type == PAGE_STACK;
}

SELFTEST(kernel_map_memory,
	 "the first and the last page of every region is mapped as its owner needs")
{
	const struct memmap *map = page_memmap();

	for (u32 i = 0; i < map->count; i++) {
		u32 owner = map->at[i].owner;
		u32 rights = owner == PAGE_BOOT ? VM_READ : VM_READ | VM_WRITE;

		if (owner == PAGE_FIRMWARE || owner == PAGE_IMAGE)
			continue;
		CHECK_EQ(t, rights_at(map->at[i].start),
			 is_guard(map->at[i].start) ? NOTHING : rights);
		CHECK_EQ(t, rights_at(map->at[i].end - 1), rights);
	}
}

SELFTEST(kernel_map_hides_a_page, "a hidden page is gone, its neighbours stay, and it comes back")
{
	struct result_ptr block = page_alloc(2, PAGE_TEST);
	uptr at = (uptr)block.value;
	void *second = (u8 *)block.value + PAGE_SIZE;

	REQUIRE(t, !block.err);
	if (CHECK_EQ(t, kernel_map_hide(second), OK)) {
		CHECK(t, !arch_readable(at + PAGE_SIZE, 1));
		CHECK(t, !arch_readable(at + 2 * PAGE_SIZE - 1, 1));
		CHECK(t, arch_readable(at, PAGE_SIZE));
		CHECK(t, arch_readable(at + 2 * PAGE_SIZE, 2 * PAGE_SIZE));
		kernel_map_show(second);
	}
	memset(block.value, 0xa5, 4 * PAGE_SIZE);
	page_free(block.value, 2);
}

SELFTEST(kernel_map_tells_spaces,
	 "every space sees the kernel's map as it is, also when it changes")
{
	struct result_addrspace space = addrspace_create(16);
	struct result_ptr block = page_alloc(PAGE_ORDER_MAX, PAGE_TEST);
	size_t kernel_part = pt_index(USER_START, PT_LEVELS - 1) * sizeof(u64);

	if (CHECK_EQ(t, space.err, OK) && CHECK_EQ(t, block.err, OK) &&
	    CHECK_EQ(t, kernel_map_hide(block.value), OK)) {
		CHECK(t, !memcmp(space.value->pt.root, kernel_pagetable.root, kernel_part));
		addrspace_switch(space.value);
		CHECK(t, !arch_readable((uptr)block.value, 1));
		kernel_map_show(block.value);
		CHECK(t, arch_readable((uptr)block.value, 1));
		addrspace_switch(NULL);
	}
	if (!block.err)
		page_free(block.value, PAGE_ORDER_MAX);
	addrspace_destroy(space.value);
}

SELFTEST(kstack_has_a_guard,
	 "a kernel stack lies above a page that is not there, and is given back whole")
{
	struct page_statistics before, after;
	struct result_ptr stack;

	kstack_drain();
	page_statistics(&before);
	stack = kstack_alloc();
	REQUIRE(t, !stack.err);
	CHECK_EQ(t, rights_at((uptr)stack.value), NOTHING);
	memset((u8 *)stack.value + STACK_GUARD, 0x5a, STACK_BYTES);
	kstack_free(stack.value);
	kstack_drain();
	CHECK_EQ(t, rights_at((uptr)stack.value), VM_READ | VM_WRITE);
	page_statistics(&after);
	CHECK_EQ(t, after.held[PAGE_STACK], before.held[PAGE_STACK]);
}
