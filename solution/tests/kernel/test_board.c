/*
 * What the device tree said, and the command line in it, on the machine we run on.
 */
#include <mazu/board.h>
#include <mazu/bootargs.h>
#include <mazu/pcpu.h>
#include <mazu/selftest.h>

SELFTEST(board_is_sound, "memory holds the kernel, hart 0 is the one we run on, there is a clock")
{
	extern char _kernel_start[], _kernel_end[];
	bool inside = false;

	for (u32 i = 0; i < board.memory.count; i++)
		inside |= (uptr)_kernel_start - board.memory.at[i].base <
			  board.memory.at[i].size - (u64)(_kernel_end - _kernel_start);
	CHECK(t, inside);
	CHECK_EQ(t, board.harts[0].id, this_cpu()->hart_id);
	CHECK(t, board_hart(board.harts[0].id) == &board.harts[0]);
	CHECK(t, board_hart(UINT64_MAX) == NULL);
	CHECK(t, board.timebase_hz != 0);
	CHECK_STR_EQ(t, board.problem, STR(""));
}

SELFTEST(bootargs_lookup, "keys match whole words; the last one counts; values may be empty")
{
	struct str saved = board.bootargs;

	board.bootargs = STR("  a=1 ab=2 flag a=3  empty= bad=1x hex=0x10");
	CHECK_STR_EQ(t, bootargs_find(STR("a")).value, STR("3"));
	CHECK_STR_EQ(t, bootargs_find(STR("ab")).value, STR("2"));
	CHECK_EQ(t, bootargs_find(STR("flag")).err, OK);
	CHECK_STR_EQ(t, bootargs_find(STR("flag")).value, STR(""));
	CHECK_EQ(t, bootargs_find(STR("empty")).err, OK);
	CHECK_EQ(t, bootargs_find(STR("fla")).err, ERR_NOENT);
	CHECK_EQ(t, bootargs_number(STR("ab"), 9), 2);
	CHECK_EQ(t, bootargs_number(STR("bad"), 9), 9);
	CHECK_EQ(t, bootargs_number(STR("hex"), 9), 16);
	CHECK_EQ(t, bootargs_number(STR("none"), 9), 9);
	board.bootargs = saved;
}
