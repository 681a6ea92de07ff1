/*
 * test_boards.c - page_init on boards that lie: whatever a device tree claims, the kernel boots, gives
 * out only memory that is there and nobody else's, and its counts add up.
 *
 * Each board is booted in a process of its own; here it is made, and in the end put back.
 */
#include "../../kernel/mm/page_debug.h"
#include "../../kernel/mm/page_internal.h"
#include "machine.h"
#include "random.h"

#include <mazu/board.h>
#include <mazu/memmap.h>
#include <mazu/page.h>
#include <mazu/selftest.h>

#include <stdio.h>

#define MIB (1UL << 20)
#define END (MACHINE_MEMORY + MACHINE_SIZE)

static const struct fdt_range image = { MACHINE_IMAGE, MACHINE_IMAGE_END - MACHINE_IMAGE };

static void memory_add(u64 base, u64 size)
{
	if (board.memory.count < BOARD_RANGES_MAX)
		board.memory.at[board.memory.count++] = (struct fdt_range){ base, size };
}

static void reserved_add(u64 base, u64 size)
{
	if (board.reserved.count < BOARD_RANGES_MAX)
		board.reserved.at[board.reserved.count++] = (struct fdt_range){ base, size };
}

static void board_empty(void)
{
	board = (struct board){ .problem = STR("") };
}

static bool meets(u64 start, u64 size, struct fdt_range range)
{
	return range.size > 0 && start < range.base + range.size && range.base < start + size;
}

static bool is_within(u64 start, u64 size, struct fdt_range range)
{
	return start >= range.base && start - range.base <= range.size &&
	       size <= range.size - (start - range.base);
}

/* The initial file system, if its first and its last byte are there. */
static struct fdt_range initrd(void)
{
	const struct fdt_range machine = { MACHINE_MEMORY, MACHINE_SIZE };
	struct fdt_range range = board.initrd;

	return is_within(range.base, range.size, machine) ? range : (struct fdt_range){ 0, 0 };
}

static struct fdt_range tree(void)
{
	return str_is_empty(board.problem) ? board.tree : (struct fdt_range){ 0, 0 };
}

static bool is_reserved(u64 start, u64 size)
{
	for (u32 i = 0; i < board.reserved.count; i++)
		if (meets(start, size, board.reserved.at[i]))
			return true;
	return false;
}

static bool is_used(u64 start, u64 size)
{
	return meets(start, size, image) || meets(start, size, tree()) ||
	       meets(start, size, initrd());
}

static u64 end_of_claims(void)
{
	u64 end = END;

	for (u32 i = 0; machine_answers_everywhere && i < board.memory.count; i++)
		end = MAX(end, board.memory.at[i].base + board.memory.at[i].size);
	return end;
}

/* How many pages a board has to give, the records' included, if all that it claims is there. */
static u64 pages_claimed(void)
{
	u64 pages = 0, below = 0; /* free ones; those without a gap up to here */
	bool firmware = false;	  /* ... and whether any of the same is reserved */

	for (u64 at = MACHINE_MEMORY; at < end_of_claims(); at += PAGE_SIZE) {
		bool memory = meets(at, PAGE_SIZE, tree());

		for (u32 i = 0; i < board.memory.count; i++)
			memory |= is_within(at, PAGE_SIZE, board.memory.at[i]);
		if (at == image.base && !firmware)
			pages -= below; /* the firmware must be there */
		below = memory ? below : 0;
		firmware &= memory;
		if (!memory || is_used(at, PAGE_SIZE))
			continue;
		firmware |= is_reserved(at, PAGE_SIZE);
		pages += !is_reserved(at, PAGE_SIZE);
		below += !is_reserved(at, PAGE_SIZE);
	}
	return pages;
}

/* Whether nobody but us can have a block: there, and outside of all that is taken. */
static bool is_ours(u64 start, u64 size)
{
	const struct memmap *map = page_memmap();

	if (start < MACHINE_MEMORY || start + size > END || is_used(start, size) ||
	    is_reserved(start, size))
		return false;
	for (u32 i = 0; i < map->count; i++)
		if (map->at[i].owner != MEMMAP_FREE &&
		    meets(start, size,
			  (struct fdt_range){ map->at[i].start,
					      map->at[i].end - map->at[i].start }))
			return false;
	return true;
}

static bool adds_up(u64 *free)
{
	struct page_statistics s;
	u64 sum = 0;

	page_statistics(&s);
	for (u32 type = 0; type < PAGE_TYPE_COUNT; type++)
		sum += s.held[type];
	*free = s.free;
	return s.total == s.free + sum;
}

/* Nothing is lost on the way: what a board claims and nobody has is free, or holds the records. */
static bool all_is_used(void)
{
	struct page_statistics s;

	page_statistics(&s);
	return machine_log_has(STR("not used")) || s.free + s.held[PAGE_FRAMES] == pages_claimed();
}

/* Boots, takes all there is, the largest blocks first, writes to it, and gives it back. */
static bool boots(void *arg)
{
	static void *blocks[BUDDY_ORDERS][MACHINE_SIZE / PAGE_SIZE];
	u32 counts[BUDDY_ORDERS] = { 0 };
	u64 before, after, taken = 0;
	struct result_ptr block;

	machine_log_clear();
	machine_boot();
	if (!adds_up(&before) || !all_is_used() || (arg && *(u64 *)arg != before))
		return false;
	for (u32 order = BUDDY_ORDERS; order-- > 0;)
		while (!(block = page_alloc(order, PAGE_TEST)).err) {
			u64 size = PAGE_SIZE << order, at = virt_to_phys(block.value);

			if (at % size != 0 || !is_ours(at, size))
				return false;
			for (u64 i = 0; i < size; i += PAGE_SIZE)
				*(u64 *)((u8 *)block.value + i) = i;
			blocks[order][counts[order]++] = block.value;
			taken += 1UL << order;
		}
	if (taken != before || !adds_up(&after) || after != 0)
		return false;
	for (u32 order = 0; order < BUDDY_ORDERS; order++)
		while (counts[order] > 0)
			page_free(blocks[order][--counts[order]], order);
	page_cache_drain();
	return adds_up(&after) && after == before;
}

/* Records of so many chunks, in pages. */
static u64 records(u64 chunks)
{
	u64 size = chunks * BUDDY_CHUNK * (sizeof(struct frame) + PAGE_DEBUG_SIZE);

	return ALIGN_UP(size, PAGE_SIZE) / PAGE_SIZE;
}

#define CHECK_BOOTS(t, free) CHECK(t, machine_child(boots, free))

SELFTEST(boards_usual,
	 "the usual board: all memory is ours but the firmware's, the image, the tree, the records")
{
	u64 free = (MACHINE_SIZE - 512 * 1024 - (MACHINE_IMAGE_END - MACHINE_IMAGE)) / PAGE_SIZE -
		   2 - records(MACHINE_SIZE / (PAGE_SIZE << PAGE_ORDER_MAX));

	machine_usual_board();
	CHECK_BOOTS(t, &free);
	machine_usual_board();
}

SELFTEST(boards_holes,
	 "memory with holes of any size, in ranges that overlap, touch and come in any order")
{
	machine_usual_board();
	board.memory.count = 0;
	memory_add(END - 4 * MIB, 4 * MIB);
	memory_add(MACHINE_MEMORY + 12 * MIB + 0x1001, 0x5fff);
	memory_add(MACHINE_MEMORY + 8 * MIB, 2 * MIB + 0x3000);
	memory_add(MACHINE_MEMORY + 9 * MIB, 2 * MIB);
	memory_add(MACHINE_MEMORY, 8 * MIB);
	memory_add(MACHINE_MEMORY + 13 * MIB, PAGE_SIZE);
	CHECK_BOOTS(t, NULL);
	for (u32 i = 0; board.memory.count < BOARD_RANGES_MAX; i++)
		memory_add(MACHINE_MEMORY + 14 * MIB + i * 0x3000, 0x1000 + i);
	CHECK_BOOTS(t, NULL);
	machine_usual_board();
}

SELFTEST(boards_absent,
	 "memory that is claimed and not there is left out, whatever else is in its range")
{
	machine_usual_board();
	memory_add(1UL << 36, 1UL << 36);	   /* all of it above what is there */
	memory_add(END, 64 * MIB);		   /* right behind */
	memory_add(UINT64_MAX - 4 * MIB, 4 * MIB); /* beyond what the kernel reaches */
	memory_add(0, 64 * MIB);		   /* with address 0 */
	CHECK_BOOTS(t, NULL);
	board.memory.count = 0;
	memory_add(MACHINE_MEMORY,
		   1UL << 40); /* begins well: only what lies below the image is left */
	CHECK_BOOTS(t, NULL);
	machine_usual_board();
}

SELFTEST(boards_without_firmware,
	 "where no reservation lies below the image, all memory there is the firmware's")
{
	machine_usual_board();
	board.reserved.count = 0;
	reserved_add(END - MIB, MIB);
	CHECK_BOOTS(t, NULL);
	machine_usual_board();
}

SELFTEST(boards_hostile_takes,
	 "reservations, tree and initial file system that overlap all and each other")
{
	machine_usual_board();
	reserved_add(MACHINE_IMAGE - 0x800, 0x1000);
	reserved_add(MACHINE_IMAGE, 4 * MIB);
	reserved_add(0, UINT64_MAX);
	board.tree = (struct fdt_range){ MACHINE_IMAGE + 0x100, 0x20000 };
	CHECK_BOOTS(t, NULL);
	machine_usual_board();
	board.initrd = (struct fdt_range){ MACHINE_MEMORY + 6 * MIB + 5, 9 * MIB };
	CHECK_BOOTS(t, NULL);
	board.initrd = (struct fdt_range){ MACHINE_MEMORY + 6 * MIB, 1UL << 40 };
	CHECK_BOOTS(t, NULL);
	board.problem = STR("the tree is broken");
	board.tree = (struct fdt_range){ MACHINE_MEMORY, UINT32_MAX };
	CHECK_BOOTS(t, NULL);
	machine_usual_board();
}

SELFTEST(boards_nothing, "without any memory the kernel goes on, and every allocation says so")
{
	u64 none = 0;

	board_empty();
	CHECK_BOOTS(t, &none);
	memory_add(MACHINE_IMAGE, MACHINE_IMAGE_END - MACHINE_IMAGE);
	CHECK_BOOTS(t, &none);
	memory_add(MACHINE_MEMORY + 8 * MIB, 3 * PAGE_SIZE); /* too little for its own records */
	CHECK_BOOTS(t, &none);
	machine_usual_board();
}

/* ---- More than the host has: what is made of it is looked at, not used ---- */

static bool first_page_is_nobodys(void *arg)
{
	(void)arg;
	machine_answers_everywhere = true;
	machine_boot();
	return page_memmap()->at[0].start == PAGE_SIZE;
}

SELFTEST(boards_null, "memory that begins at address 0 begins at the page behind it")
{
	machine_usual_board();
	memory_add(0, 64 * 1024);
	CHECK(t, machine_child(first_page_is_nobodys, NULL));
	machine_usual_board();
}

static bool all_is_free(void *arg)
{
	u64 free;

	machine_answers_everywhere = true;
	machine_boot();
	(void)arg;
	return adds_up(&free) && all_is_used() && page_zones_end - page_zones <= ZONES_MAX;
}

SELFTEST(boards_many_zones, "more separate pieces than zones share them, and no page is lost")
{
	machine_usual_board();
	board.memory.at[0].size = 1024 * MIB;
	for (u32 i = 0; board.reserved.count < BOARD_RANGES_MAX; i++)
		reserved_add(MACHINE_MEMORY + (u64)(40 + 50 * i) * MIB, (10 + i) * MIB);
	for (u32 i = 0; i < 8; i++)
		memory_add(MACHINE_MEMORY + 2048 * MIB + i * 100 * MIB, 3 * MIB);
	CHECK(t, machine_child(all_is_free, NULL));
	machine_usual_board();
}

/* ---- Random boards ---- */

/* A board of random claims, near and across what is there. */
static void board_random(u64 *seed)
{
	u32 ranges = random_below(seed, BOARD_RANGES_MAX + 1);

	board_empty();
	for (u32 i = 0; i < ranges; i++) {
		u64 base = MACHINE_MEMORY + random_u64(seed) % (MACHINE_SIZE + 2 * MIB);
		u64 size = random_u64(seed) >> (40 + random_below(seed, 20));

		memory_add(random_below(seed, 3) ? base & ~PAGE_MASK : base, size);
	}
	for (u32 i = random_below(seed, BOARD_RANGES_MAX); i > 0; i--)
		reserved_add(MACHINE_MEMORY + random_u64(seed) % MACHINE_SIZE,
			     random_u64(seed) >> (44 + random_below(seed, 20)));
	if (random_below(seed, 2))
		memory_add(MACHINE_MEMORY, MACHINE_SIZE);
	board.tree = (struct fdt_range){ MACHINE_MEMORY + random_u64(seed) % (MACHINE_SIZE - MIB),
					 random_below(seed, MIB) };
	board.initrd = (struct fdt_range){ MACHINE_MEMORY + random_u64(seed) % MACHINE_SIZE,
					   random_below(seed, 8 * MIB) };
}

SELFTEST(boards_random,
	 "200 boards of random claims boot, and what they give out is there and ours")
{
	u64 seed = 41;

	for (u32 i = 0; i < 200; i++) {
		board_random(&seed);
		if (!CHECK_BOOTS(t, NULL))
			printf("# board %u\n", i);
	}
	machine_usual_board();
}
