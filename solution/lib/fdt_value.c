/*
 * fdt_value.c - what the bytes of a property mean: cells, strings, addresses.
 *
 * A property does not carry its type; who asks for it must know, and each reader here checks
 * that the length fits the type asked for. An absent property (data NULL, length 0) reads as
 * an empty one.
 *
 * Addresses are the hard part. The `reg` of a node is written in as many cells as its parent
 * says, and in the address space of the parent's bus. Each bus on the way up to the root maps
 * windows of its own space into its parent's by `ranges`, until the numbers are those that
 * the CPU puts on its wires (DTSpec 2.3.5, 2.3.6, 2.3.8).
 *
 * Pure; called by visitors of fdt_for_each_node().
 * Left out: addresses of more than 64 bits (PCI has 3 cells) and dma-ranges.
 */
#include <mazu/fdt.h>

#define CELL sizeof(u32)

/* ---- Numbers and strings ---- */

struct result_u32 fdt_value_u32(struct byte_view value, size_t index)
{
	if (index >= value.len / CELL)
		return result_u32_err(ERR_NOENT);
	return result_u32_ok(be32_read(value.data + index * CELL));
}

struct result_u64 fdt_value_number(struct byte_view value)
{
	if (value.len == sizeof(u32))
		return result_u64_ok(be32_read(value.data));
	if (value.len == sizeof(u64))
		return result_u64_ok(be64_read(value.data));
	return result_u64_err(ERR_CORRUPT);
}

/* Takes the first string of a list off its front; its NUL must lie inside the value. */
static struct result_str take_string(struct byte_view *list)
{
	struct str rest = byte_view_to_str(*list);
	struct result_sz len = str_find_char(rest, '\0');

	if (list->len == 0)
		return result_str_err(ERR_NOENT);
	if (len.err)
		return result_str_err(ERR_CORRUPT);
	*list = byte_view_from_str(str_skip(rest, len.value + 1));
	rest.len = len.value;
	return result_str_ok(rest);
}

struct result_str fdt_value_str(struct byte_view value)
{
	struct result_str only = take_string(&value);

	if (only.err || value.len != 0)
		return result_str_err(ERR_CORRUPT);
	return only;
}

struct result_str fdt_value_str_at(struct byte_view value, size_t index)
{
	struct result_str string = take_string(&value);

	for (; index > 0 && !string.err; index--)
		string = take_string(&value);
	return string;
}

bool fdt_is_compatible(const struct fdt_node *node, struct str compatible)
{
	struct byte_view list = node->compatible;

	for (;;) {
		struct result_str string = take_string(&list);

		if (string.err)
			return false;
		if (str_eq(string.value, compatible))
			return true;
	}
}

bool fdt_is_enabled(const struct fdt_node *node)
{
	struct result_str status = fdt_value_str(node->status);

	if (!node->status.data)
		return true;
	return !status.err &&
	       (str_eq(status.value, STR("okay")) || str_eq(status.value, STR("ok")));
}

/* ---- Addresses ---- */

/* A row of cells that is read from the front. */
struct cells {
	const u8 *at;
};

/* The next number, of 0, 1 or 2 cells. */
static u64 take_number(struct cells *cells, u32 count)
{
	u64 number = 0;

	for (; count > 0; count--, cells->at += CELL)
		number = number << 32 | be32_read(cells->at);
	return number;
}

/* Whether numbers of this many cells fit 64 bits. */
static bool fits(u32 cells)
{
	return cells <= 2;
}

struct result_fdt_range fdt_reg_raw(const struct fdt_node *node, size_t index)
{
	const struct fdt_node *bus = node->parent;
	struct fdt_range range;
	size_t entry;

	if (!bus || node->reg.len == 0)
		return result_fdt_range_err(ERR_NOENT);
	if (!fits(bus->address_cells) || !fits(bus->size_cells))
		return result_fdt_range_err(ERR_NOTSUP);
	entry = (bus->address_cells + bus->size_cells) * CELL;
	if (entry == 0 || node->reg.len % entry != 0)
		return result_fdt_range_err(ERR_CORRUPT);
	if (index >= node->reg.len / entry)
		return result_fdt_range_err(ERR_NOENT);

	struct cells cells = { node->reg.data + index * entry };
	range.base = take_number(&cells, bus->address_cells);
	range.size = take_number(&cells, bus->size_cells);
	if (range.size > UINT64_MAX - range.base)
		return result_fdt_range_err(ERR_RANGE);
	return result_fdt_range_ok(range);
}

/* One window of a bus: [child, child + size) of its space is [parent, ...) of its parent's. */
struct window {
	u64 child;
	u64 parent;
	u64 size;
};

static struct window take_window(struct cells *cells, const struct fdt_node *bus)
{
	struct window window;

	window.child = take_number(cells, bus->address_cells);
	window.parent = take_number(cells, bus->parent->address_cells);
	window.size = take_number(cells, bus->size_cells);
	return window;
}

/* The range as the window's other side has it; ERR_NOENT when it is not all in this window. */
static struct result_fdt_range through_window(struct fdt_range range, struct window window)
{
	u64 into = range.base - window.child;

	if (range.base < window.child || into >= window.size || range.size > window.size - into)
		return result_fdt_range_err(ERR_NOENT);
	if (__builtin_add_overflow(window.parent, into, &range.base) ||
	    range.size > UINT64_MAX - range.base)
		return result_fdt_range_err(ERR_RANGE);
	return result_fdt_range_ok(range);
}

/* From the address space of a bus into that of its parent. */
static struct result_fdt_range through_bus(struct fdt_range range, const struct fdt_node *bus)
{
	struct cells cells = { bus->ranges.data };
	size_t entry;

	if (!bus->ranges.data)
		return result_fdt_range_err(ERR_NOTSUP);
	if (bus->ranges.len == 0)
		return result_fdt_range_ok(range);
	if (!fits(bus->address_cells) || !fits(bus->size_cells) ||
	    !fits(bus->parent->address_cells))
		return result_fdt_range_err(ERR_NOTSUP);
	entry = (bus->address_cells + bus->parent->address_cells + bus->size_cells) * CELL;
	if (entry == 0 || bus->ranges.len % entry != 0)
		return result_fdt_range_err(ERR_CORRUPT);

	for (size_t left = bus->ranges.len; left > 0; left -= entry) {
		struct result_fdt_range mapped = through_window(range, take_window(&cells, bus));

		if (mapped.err != ERR_NOENT)
			return mapped;
	}
	return result_fdt_range_err(ERR_RANGE);
}

struct result_fdt_range fdt_reg(const struct fdt_node *node, size_t index)
{
	struct result_fdt_range range = fdt_reg_raw(node, index);
	const struct fdt_node *bus = node->parent;

	/* The root's space is the CPU's own: no bus there. */
	for (; !range.err && bus->parent; bus = bus->parent)
		range = through_bus(range.value, bus);
	return range;
}
