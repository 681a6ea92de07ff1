/*
 * test_fdt.c - criteria for fdt.h on trees that are well formed. The others are in
 * test_fdt_bad.c. The builder and the record are static: stacks in the kernel are small.
 */
#include "fdt_builder.h"

#include <mazu/fdt.h>
#include <mazu/fmt.h>
#include <mazu/selftest.h>

static struct fdt_builder builder;
static struct fdt fdt;

/* A visitor that runs the checks of one test for each node that has a name of interest. */
struct seen {
	struct selftest *t;
	u32 nodes;
	char paths_room[256];
	struct byte_buf paths;
};

static enum error note_path(const struct fdt_node *node, void *arg)
{
	struct seen *seen = arg;

	seen->nodes++;
	fdt_node_path(node, &seen->paths);
	byte_buf_append_byte(&seen->paths, ' ');
	return OK;
}

static void begin_root(u32 address_cells, u32 size_cells)
{
	fdt_builder_init(&builder);
	fdt_builder_begin(&builder, STR(""));
	FDT_PROP_CELLS(&builder, STR("#address-cells"), address_cells);
	FDT_PROP_CELLS(&builder, STR("#size-cells"), size_cells);
}

static enum error finish_and_walk(fdt_visitor *visit, void *arg)
{
	enum error err;

	fdt_builder_end(&builder);
	err = fdt_open(fdt_builder_finish(&builder), &fdt);
	return err ? err : fdt_for_each_node(&fdt, visit, arg);
}

SELFTEST(fdt_tokens, "fdt_next yields names and values in order, skips NOPs, and ends with END")
{
	struct fdt_token token;
	size_t offset = 0;

	fdt_builder_init(&builder);
	fdt_builder_word(&builder, FDT_NOP);
	fdt_builder_begin(&builder, STR(""));
	fdt_builder_prop_str(&builder, STR("model"), STR("abcd"));
	fdt_builder_word(&builder, FDT_NOP);
	fdt_builder_word(&builder, FDT_NOP);
	fdt_builder_prop(&builder, STR("empty"), (struct byte_view){ NULL, 0 });
	fdt_builder_end(&builder);
	REQUIRE(t, fdt_open(fdt_builder_finish(&builder), &fdt) == OK);

	REQUIRE(t, fdt_next(&fdt, &offset, &token) == OK);
	CHECK_EQ(t, token.kind, FDT_BEGIN_NODE);
	CHECK_EQ(t, token.name.len, 0);
	REQUIRE(t, fdt_next(&fdt, &offset, &token) == OK);
	CHECK_EQ(t, token.kind, FDT_PROP);
	CHECK_STR_EQ(t, token.name, STR("model"));
	CHECK_STR_EQ(t, byte_view_to_str(token.value), STR("abcd\0"));
	REQUIRE(t, fdt_next(&fdt, &offset, &token) == OK);
	CHECK_STR_EQ(t, token.name, STR("empty"));
	CHECK_EQ(t, token.value.len, 0);
	REQUIRE(t, fdt_next(&fdt, &offset, &token) == OK);
	CHECK_EQ(t, token.kind, FDT_END_NODE);
	CHECK_EQ(t, token.name.len, 0);
	REQUIRE(t, fdt_next(&fdt, &offset, &token) == OK);
	CHECK_EQ(t, token.kind, FDT_END);
	CHECK_EQ(t, offset, fdt.structure.len);
	CHECK_EQ(t, fdt_next(&fdt, &offset, &token), ERR_CORRUPT);
	CHECK_EQ(t, offset, fdt.structure.len);
}

SELFTEST(fdt_order, "each node is visited once, parents first, with its path")
{
	struct seen seen = { .t = t, .paths = BYTE_BUF(seen.paths_room) };

	begin_root(2, 2);
	fdt_builder_begin(&builder, STR("soc"));
	fdt_builder_begin(&builder, STR("uart@10000000"));
	fdt_builder_end(&builder);
	fdt_builder_begin(&builder, STR("rtc@101000"));
	fdt_builder_end(&builder);
	fdt_builder_end(&builder);
	fdt_builder_begin(&builder, STR("chosen"));
	fdt_builder_end(&builder);
	CHECK_EQ(t, finish_and_walk(note_path, &seen), OK);
	CHECK_STR_EQ(t, byte_buf_to_str(&seen.paths),
		     STR("/ /soc /soc/uart@10000000 /soc/rtc@101000 /chosen "));
}

static enum error check_uart(const struct fdt_node *node, void *arg)
{
	struct selftest *t = arg;

	if (!fdt_node_is(node, STR("uart")))
		return OK;
	CHECK_EQ(t, node->depth, 1);
	CHECK_EQ(t, node->phandle, 7);
	CHECK_EQ(t, node->interrupt_parent, 3);
	CHECK(t, node->ranges.data == NULL);
	CHECK(t, fdt_is_compatible(node, STR("ns16550a")));
	CHECK(t, fdt_is_compatible(node, STR("uart")));
	CHECK(t, !fdt_is_compatible(node, STR("ns16550")));
	CHECK(t, !fdt_is_compatible(node, STR("")));
	CHECK(t, !fdt_is_enabled(node));
	CHECK_EQ(t, fdt_value_u32(node->interrupts, 0).value, 10);
	CHECK_EQ(t, fdt_value_u32(node->interrupts, 1).err, ERR_NOENT);
	CHECK_EQ(t, fdt_value_number(node->clock_frequency).value, 3686400);
	CHECK_EQ(t, fdt_node_property(node, STR("reg-shift")).value.len, 4);
	CHECK_EQ(t, fdt_node_property(node, STR("inner")).err, ERR_NOENT);
	return ERR_EXIST;
}

SELFTEST(fdt_gather,
	 "a node has its own properties, inherits the interrupt parent, and stops a walk")
{
	begin_root(2, 2);
	FDT_PROP_CELLS(&builder, STR("interrupt-parent"), 3);
	fdt_builder_begin(&builder, STR("uart@10000000"));
	FDT_PROP_CELLS(&builder, STR("phandle"), 7);
	FDT_PROP_CELLS(&builder, STR("interrupts"), 10);
	FDT_PROP_CELLS(&builder, STR("clock-frequency"), 3686400);
	FDT_PROP_CELLS(&builder, STR("reg-shift"), 0);
	fdt_builder_prop_str(&builder, STR("compatible"), STR("ns16550a\0uart"));
	fdt_builder_prop_str(&builder, STR("status"), STR("disabled"));
	fdt_builder_begin(&builder, STR("child"));
	fdt_builder_prop_str(&builder, STR("inner"), STR("x"));
	fdt_builder_end(&builder);
	fdt_builder_end(&builder);
	CHECK_EQ(t, finish_and_walk(check_uart, t), ERR_EXIST);
	CHECK_EQ(t, fdt.problem.len, 0);
}

/* The reg of the node called "x", for the tests below. */
struct wanted_reg {
	size_t index;
	struct result_fdt_range reg;
};

static enum error take_reg(const struct fdt_node *node, void *arg)
{
	struct wanted_reg *wanted = arg;

	if (fdt_node_is(node, STR("x")))
		wanted->reg = fdt_reg(node, wanted->index);
	return OK;
}

static struct result_fdt_range walk_for_reg(size_t index)
{
	struct wanted_reg wanted = { index, result_fdt_range_err(ERR_COUNT) };
	enum error err = fdt_for_each_node(&fdt, take_reg, &wanted);

	return err ? result_fdt_range_err(err) : wanted.reg;
}

static bool is_range(struct result_fdt_range got, u64 base, u64 size)
{
	return !got.err && got.value.base == base && got.value.size == size;
}

static void finish_and_open(struct selftest *t)
{
	fdt_builder_end(&builder);
	CHECK_EQ(t, fdt_open(fdt_builder_finish(&builder), &fdt), OK);
}

/* The reg of a node whose parent gives these cell counts, where reg is the cells 1, 2, 3, 4... */
static struct result_fdt_range reg_of_cells(struct selftest *t, u32 address_cells, u32 size_cells)
{
	static const u32 cells[] = { 1, 2, 3, 4, 5, 6 };

	begin_root(address_cells, size_cells);
	fdt_builder_begin(&builder, STR("x"));
	fdt_builder_prop_cells(&builder, STR("reg"), cells, address_cells + size_cells);
	fdt_builder_end(&builder);
	finish_and_open(t);
	return walk_for_reg(0);
}

SELFTEST(fdt_reg_cells, "reg is read in the parent's cells: none, one or two for each number")
{
	const u64 two = (u64)1 << 32 | 2;

	CHECK_EQ(t, reg_of_cells(t, 0, 0).err, ERR_NOENT);
	CHECK(t, is_range(reg_of_cells(t, 0, 1), 0, 1));
	CHECK(t, is_range(reg_of_cells(t, 0, 2), 0, two));
	CHECK(t, is_range(reg_of_cells(t, 1, 0), 1, 0));
	CHECK(t, is_range(reg_of_cells(t, 1, 1), 1, 2));
	CHECK(t, is_range(reg_of_cells(t, 1, 2), 1, (u64)2 << 32 | 3));
	CHECK(t, is_range(reg_of_cells(t, 2, 0), two, 0));
	CHECK(t, is_range(reg_of_cells(t, 2, 1), two, 3));
	CHECK(t, is_range(reg_of_cells(t, 2, 2), two, (u64)3 << 32 | 4));
	CHECK_EQ(t, reg_of_cells(t, 3, 2).err, ERR_NOTSUP);
	CHECK_EQ(t, reg_of_cells(t, 1, 3).err, ERR_NOTSUP);
}

SELFTEST(fdt_reg_defaults, "a parent that does not say has two address cells and one size cell")
{
	fdt_builder_init(&builder);
	fdt_builder_begin(&builder, STR(""));
	fdt_builder_begin(&builder, STR("x"));
	FDT_PROP_CELLS(&builder, STR("reg"), 1, 2, 3, 0, 5, 6);
	fdt_builder_end(&builder);
	finish_and_open(t);
	CHECK(t, is_range(walk_for_reg(0), (u64)1 << 32 | 2, 3));
	CHECK(t, is_range(walk_for_reg(1), 5, 6));
	CHECK_EQ(t, walk_for_reg(2).err, ERR_NOENT);
	CHECK_EQ(t, walk_for_reg(SIZE_MAX / 8).err, ERR_NOENT);
}

SELFTEST(fdt_reg_bad, "a reg that is cut, empty or wraps is refused")
{
	begin_root(2, 2);
	fdt_builder_begin(&builder, STR("x"));
	FDT_PROP_CELLS(&builder, STR("reg"), ~0u, ~0u - 0xfff, 0, 0x1000, 0, 0, 0, 1);
	fdt_builder_end(&builder);
	finish_and_open(t);
	CHECK_EQ(t, walk_for_reg(0).err, ERR_RANGE);
	CHECK(t, is_range(walk_for_reg(1), 0, 1));

	begin_root(2, 2);
	fdt_builder_begin(&builder, STR("x"));
	FDT_PROP_CELLS(&builder, STR("reg"), 0, 0, 0);
	fdt_builder_end(&builder);
	finish_and_open(t);
	CHECK_EQ(t, walk_for_reg(0).err, ERR_CORRUPT);
}

/* root <- outer bus (ranges given) <- inner bus (empty ranges) <- x at 0x10, 0x20 bytes. */
static struct result_fdt_range through(struct selftest *t, const u32 *ranges, size_t count)
{
	begin_root(2, 1);
	fdt_builder_begin(&builder, STR("outer"));
	FDT_PROP_CELLS(&builder, STR("#address-cells"), 1);
	FDT_PROP_CELLS(&builder, STR("#size-cells"), 1);
	if (ranges)
		fdt_builder_prop_cells(&builder, STR("ranges"), ranges, count);
	fdt_builder_begin(&builder, STR("inner"));
	FDT_PROP_CELLS(&builder, STR("#address-cells"), 1);
	FDT_PROP_CELLS(&builder, STR("#size-cells"), 1);
	fdt_builder_prop(&builder, STR("ranges"), (struct byte_view){ NULL, 0 });
	fdt_builder_begin(&builder, STR("x"));
	FDT_PROP_CELLS(&builder, STR("reg"), 0x10, 0x20);
	fdt_builder_end(&builder);
	fdt_builder_end(&builder);
	fdt_builder_end(&builder);
	finish_and_open(t);
	return walk_for_reg(0);
}

SELFTEST(fdt_ranges, "addresses go through the windows of each bus, and not past them")
{
	const u32 second[] = { 0x100, 0, 0x100, 0x100, 0, 5, 0x1000, 0x100 };
	const u32 tight[] = { 0x10, 0, 0x7000, 0x20 };
	const u32 too_small[] = { 0x10, 0, 0x7000, 0x1f };
	const u32 below[] = { 0, 0, 0x7000, 8 };
	const u32 wrapping[] = { 0, ~0u, ~0u, 0x100 };

	CHECK(t, is_range(through(t, second, 0), 0x10, 0x20));
	CHECK(t, is_range(through(t, second + 4, 4), 0x500001010, 0x20));
	CHECK(t, is_range(through(t, second, 8), 0x500001010, 0x20));
	CHECK(t, is_range(through(t, tight, 4), 0x7000, 0x20));
	CHECK_EQ(t, through(t, too_small, 4).err, ERR_RANGE);
	CHECK_EQ(t, through(t, second, 4).err, ERR_RANGE);
	CHECK_EQ(t, through(t, below, 4).err, ERR_RANGE);
	CHECK_EQ(t, through(t, wrapping, 4).err, ERR_RANGE);
	CHECK_EQ(t, through(t, second, 3).err, ERR_CORRUPT);
	CHECK_EQ(t, through(t, NULL, 0).err, ERR_NOTSUP);
}

SELFTEST(fdt_memory_holes, "several ranges of memory come out one by one, reservations too")
{
	begin_root(2, 2);
	fdt_builder_reserve(&builder, 0x80000000, 0x200000);
	fdt_builder_reserve(&builder, UINT64_MAX, 2);
	fdt_builder_begin(&builder, STR("x@80000000"));
	FDT_PROP_CELLS(&builder, STR("reg"), 0, 0x80000000, 0, 0x1000, 0, 0x90000000, 1, 0);
	fdt_builder_end(&builder);
	finish_and_open(t);
	CHECK(t, is_range(walk_for_reg(0), 0x80000000, 0x1000));
	CHECK(t, is_range(walk_for_reg(1), 0x90000000, 0x100000000));
	CHECK_EQ(t, walk_for_reg(2).err, ERR_NOENT);
	CHECK(t, is_range(fdt_reservation(&fdt, 0), 0x80000000, 0x200000));
	CHECK_EQ(t, fdt_reservation(&fdt, 1).err, ERR_RANGE);
	CHECK_EQ(t, fdt_reservation(&fdt, 2).err, ERR_NOENT);
}

SELFTEST(fdt_strings, "a string must end inside its property, and a list in whole strings")
{
	struct byte_view list = byte_view_from_str(STR("one\0two\0"));
	struct byte_view open_ended = byte_view_from_str(STR("one\0two"));
	struct fdt_node node = { .compatible = open_ended };

	CHECK_STR_EQ(t, fdt_value_str_at(list, 1).value, STR("two"));
	CHECK_EQ(t, fdt_value_str_at(list, 2).err, ERR_NOENT);
	CHECK_EQ(t, fdt_value_str_at(open_ended, 1).err, ERR_CORRUPT);
	CHECK_EQ(t, fdt_value_str(list).err, ERR_CORRUPT);
	CHECK_EQ(t, fdt_value_str((struct byte_view){ NULL, 0 }).err, ERR_CORRUPT);
	CHECK_STR_EQ(t, fdt_value_str(byte_view_from_str(STR("one\0"))).value, STR("one"));
	CHECK(t, fdt_is_compatible(&node, STR("one")));
	CHECK(t, !fdt_is_compatible(&node, STR("two")));
	CHECK(t, fdt_is_enabled(&node));
	node.status = open_ended;
	CHECK(t, !fdt_is_enabled(&node));
}
