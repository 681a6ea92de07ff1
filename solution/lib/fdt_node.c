/*
 * fdt_node.c - from tokens to nodes: walking the whole device tree once.
 *
 * Tokens nest; this file keeps the stack of the nodes that are open. The stack is an array, not
 * recursion: the depth of a tree comes from outside, the depth of our own stack must not. Each
 * entry is a full node that knows its parent, so what a child inherits (#address-cells,
 * #size-cells, the interrupt parent) is at hand.
 *
 * A node is shown to the visitor when it is complete, which is when its first child begins or
 * when it ends itself: DTSpec 5.4.2 puts all properties before all children. A tree that breaks
 * this rule, or nests wrong, or gives one of the properties below twice, is refused with words.
 *
 * One walk takes time linear in the size of the block.
 * Left out: paths and phandles to nodes; a visitor recognises what it looks for.
 */
#include <mazu/fdt.h>

/* Defaults of a parent that does not say (DTSpec 2.3.5). */
#define ADDRESS_CELLS_DEFAULT 2
#define SIZE_CELLS_DEFAULT 1

struct walk {
	struct fdt *fdt;
	fdt_visitor *visit;
	void *arg;
	size_t offset;	/* of the token at hand, in the structure block */
	size_t next;	/* of the token after it */
	u32 open;	/* nodes on the stack */
	u32 gathered;	/* bit i: the innermost node has had property i of the table */
	bool shown;	/* the innermost node was shown: its properties are over */
	bool root_done; /* the root has ended */
	struct fdt_node nodes[FDT_DEPTH_MAX];
};

/* The properties that a node keeps: a cell as its number, anything else as it stands. */
static const struct {
	struct str name;
	size_t member;
	bool is_cell;
} gathered_properties[] = {
	{ STR("#address-cells"), offsetof(struct fdt_node, address_cells), true },
	{ STR("#size-cells"), offsetof(struct fdt_node, size_cells), true },
	{ STR("phandle"), offsetof(struct fdt_node, phandle), true },
	{ STR("interrupt-parent"), offsetof(struct fdt_node, interrupt_parent), true },
	{ STR("compatible"), offsetof(struct fdt_node, compatible), false },
	{ STR("device_type"), offsetof(struct fdt_node, device_type), false },
	{ STR("status"), offsetof(struct fdt_node, status), false },
	{ STR("reg"), offsetof(struct fdt_node, reg), false },
	{ STR("ranges"), offsetof(struct fdt_node, ranges), false },
	{ STR("interrupts"), offsetof(struct fdt_node, interrupts), false },
	{ STR("interrupts-extended"), offsetof(struct fdt_node, interrupts_extended), false },
	{ STR("clock-frequency"), offsetof(struct fdt_node, clock_frequency), false },
};

static enum error refuse(struct walk *walk, struct str problem)
{
	struct fdt *fdt = walk->fdt;

	fdt->problem = problem;
	fdt->problem_offset = (size_t)(fdt->structure.data - fdt->blob.data) + walk->offset;
	return ERR_CORRUPT;
}

static struct fdt_node *innermost(struct walk *walk)
{
	return walk->open > 0 ? &walk->nodes[walk->open - 1] : NULL;
}

static enum error show_innermost(struct walk *walk)
{
	if (walk->open == 0 || walk->shown)
		return OK;
	walk->shown = true;
	return walk->visit(innermost(walk), walk->arg);
}

static enum error begin_node(struct walk *walk, const struct fdt_token *token)
{
	const struct fdt_node *parent = innermost(walk);
	enum error err = show_innermost(walk);

	if (err)
		return err;
	if (walk->root_done)
		return refuse(walk, STR("a second root node"));
	if (walk->open == FDT_DEPTH_MAX)
		return refuse(walk, STR("nodes nest too deep"));

	walk->nodes[walk->open] = (struct fdt_node){
		.fdt = walk->fdt,
		.parent = parent,
		.name = token->name,
		.depth = walk->open,
		.address_cells = ADDRESS_CELLS_DEFAULT,
		.size_cells = SIZE_CELLS_DEFAULT,
		.interrupt_parent = parent ? parent->interrupt_parent : 0,
		.properties = walk->next,
	};
	walk->open++;
	walk->gathered = 0;
	walk->shown = false;
	return OK;
}

/* Keeps property number `i` of the table in its member of the innermost node. */
static enum error gather(struct walk *walk, size_t i, struct byte_view value)
{
	char *member = (char *)innermost(walk) + gathered_properties[i].member;

	if (walk->gathered & 1u << i)
		return refuse(walk, STR("a property given twice in one node"));
	walk->gathered |= 1u << i;
	if (!gathered_properties[i].is_cell) {
		*(struct byte_view *)(void *)member = value;
		return OK;
	}
	if (value.len != sizeof(u32))
		return refuse(walk, STR("a cell count or phandle that is not one cell long"));
	*(u32 *)(void *)member = be32_read(value.data);
	return OK;
}

static enum error property(struct walk *walk, const struct fdt_token *token)
{
	if (walk->open == 0)
		return refuse(walk, STR("a property outside any node"));
	if (walk->shown)
		return refuse(walk, STR("a property after a child node"));
	for (size_t i = 0; i < ARRAY_SIZE(gathered_properties); i++) {
		if (str_eq(token->name, gathered_properties[i].name))
			return gather(walk, i, token->value);
	}
	return OK;
}

static enum error end_node(struct walk *walk)
{
	enum error err = show_innermost(walk);

	if (err)
		return err;
	if (walk->open == 0)
		return refuse(walk, STR("a node ends that never began"));
	walk->open--; /* `shown` stays true: the parent was shown when this child began */
	walk->root_done = walk->open == 0;
	return OK;
}

/* END shall be the last token and end with the block; version 16 does not say where that is. */
static enum error end_tree(struct walk *walk)
{
	if (walk->open > 0)
		return refuse(walk, STR("the tree ends inside a node"));
	if (!walk->root_done)
		return refuse(walk, STR("no root node"));
	if (walk->fdt->version > 16 && walk->next != walk->fdt->structure.len)
		return refuse(walk, STR("more follows after the end of the tree"));
	return OK;
}

static enum error take_token(struct walk *walk, const struct fdt_token *token)
{
	switch (token->kind) {
	case FDT_BEGIN_NODE: return begin_node(walk, token);
	case FDT_PROP: return property(walk, token);
	case FDT_END_NODE: return end_node(walk);
	case FDT_END: return end_tree(walk);
	default: return refuse(walk, STR("an unknown token"));
	}
}

enum error fdt_for_each_node(struct fdt *fdt, fdt_visitor *visit, void *arg)
{
	struct walk walk;
	struct fdt_token token;
	enum error err;

	/* The stack of nodes is filled as it grows; clearing 3 KiB of it first helps nobody. */
	walk.fdt = fdt;
	walk.visit = visit;
	walk.arg = arg;
	walk.next = 0;
	walk.open = walk.gathered = 0;
	walk.shown = walk.root_done = false;
	fdt->problem = STR("");

	do {
		walk.offset = walk.next;
		if (fdt_next(fdt, &walk.next, &token) != OK)
			return refuse(&walk, STR("a token is unknown or goes beyond its block"));
		err = take_token(&walk, &token);
	} while (!err && token.kind != FDT_END);
	return err;
}

struct result_byte_view fdt_node_property(const struct fdt_node *node, struct str name)
{
	size_t offset = node->properties;
	struct fdt_token token;

	while (fdt_next(node->fdt, &offset, &token) == OK && token.kind == FDT_PROP) {
		if (str_eq(token.name, name))
			return result_byte_view_ok(token.value);
	}
	return result_byte_view_err(ERR_NOENT);
}

static const struct fdt_node *ancestor_at(const struct fdt_node *node, u32 depth)
{
	while (node->depth > depth)
		node = node->parent;
	return node;
}

void fdt_node_path(const struct fdt_node *node, struct byte_buf *out)
{
	if (node->depth == 0)
		byte_buf_append_byte(out, '/');
	for (u32 depth = 1; depth <= node->depth; depth++) {
		byte_buf_append_byte(out, '/');
		byte_buf_append_str(out, ancestor_at(node, depth)->name);
	}
}

bool fdt_node_is(const struct fdt_node *node, struct str name)
{
	struct str plain = node->name;
	struct result_sz at = str_find_char(plain, '@');

	if (!at.err)
		plain.len = at.value;
	return str_eq(plain, name);
}
