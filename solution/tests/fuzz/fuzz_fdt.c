/*
 * fuzz_fdt.c - the input is a blob. Whatever it holds: blocks, names and values lie inside it, the
 * token stream ends within one step a word, nodes have parents one level up, and a failed walk
 * says what is wrong.
 */
#include "fuzz.h"

#include <mazu/fdt.h>

static bool inside(struct byte_view blob, struct byte_view part)
{
	uptr start = (uptr)blob.data, at = (uptr)part.data;

	return part.len == 0 ||
	       (at >= start && at - start <= blob.len && part.len <= blob.len - (at - start));
}

static void check_tokens(const struct fdt *fdt)
{
	struct fdt_token token;
	size_t offset = 0;

	for (size_t steps = 0; fdt_next(fdt, &offset, &token) == OK; steps++) {
		MUST(steps < fdt->blob.len / 4 + 1);
		MUST(offset % 4 == 0 && offset <= fdt->structure.len);
		MUST(inside(fdt->structure, token.value));
		MUST(token.kind != FDT_NOP);
		MUST(inside(token.kind == FDT_PROP ? fdt->strings : fdt->structure,
			    byte_view_from_str(token.name)));
	}
}

static void check_range(struct result_fdt_range range)
{
	MUST(range.err || range.value.size <= UINT64_MAX - range.value.base);
}

static enum error check_node(const struct fdt_node *node, void *arg)
{
	const struct fdt *fdt = node->fdt;
	char room[64];
	struct byte_buf path = BYTE_BUF(room);
	size_t *nodes = arg;

	++*nodes;
	MUST(node->depth < FDT_DEPTH_MAX);
	MUST(node->depth == 0 ? !node->parent : node->parent->depth == node->depth - 1);
	MUST(inside(fdt->structure, node->reg) && inside(fdt->structure, node->ranges));
	for (size_t i = 0; i < 4; i++) {
		struct result_str string = fdt_value_str_at(node->compatible, i);

		check_range(fdt_reg(node, i));
		check_range(fdt_reg_raw(node, i));
		MUST(string.err || inside(node->compatible, byte_view_from_str(string.value)));
		MUST(string.err || fdt_is_compatible(node, string.value));
	}
	(void)fdt_is_enabled(node);
	struct result_byte_view reg = fdt_node_property(node, STR("reg"));
	MUST(!reg.err == (node->reg.data != NULL));
	MUST(reg.err || reg.value.data == node->reg.data);
	fdt_node_path(node, &path);
	MUST(path.len > 0 && room[0] == '/');
	return OK;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct byte_view blob = { data, size };
	struct fdt fdt;
	size_t nodes = 0;

	if (fdt_open(blob, &fdt) != OK) {
		MUST(fdt.problem.len > 0);
		return 0;
	}
	MUST(inside(blob, fdt.blob) && inside(fdt.blob, fdt.structure));
	MUST(inside(fdt.blob, fdt.strings) && inside(fdt.blob, fdt.reservations));
	check_tokens(&fdt);
	for (size_t i = 0; fdt_reservation(&fdt, i).err != ERR_NOENT; i++)
		check_range(fdt_reservation(&fdt, i));
	if (fdt_for_each_node(&fdt, check_node, &nodes) != OK)
		MUST(fdt.problem.len > 0 && fdt.problem_offset < fdt.blob.len);
	else
		MUST(nodes > 0 && nodes <= fdt.structure.len / 4);
	return 0;
}
