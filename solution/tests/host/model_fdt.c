/*
 * model_fdt.c - device trees made at random, read back, then damaged.
 *
 * The builder writes a random tree and notes each token in a list; fdt_next must return the same
 * list, and a walk the same nodes. Then single bytes are changed: whatever comes of it, each name
 * and value stays inside the blob and the walk ends.
 */
#include "../lib/fdt_builder.h"
#include "random.h"

#include <mazu/fdt.h>
#include <mazu/selftest.h>

#include <string.h>

#define TOKENS 64

struct script {
	struct fdt_token tokens[TOKENS];
	size_t count;
	u32 nodes;
};

static const struct str names[] = { STR("compatible"), STR("a"), STR("reg-names"), STR("x@1f") };
static const u8 value_bytes[] = "0123456789abcdef";

static void note(struct script *script, enum fdt_token_kind kind, struct str name,
		 struct byte_view value)
{
	script->tokens[script->count++] =
		(struct fdt_token){ .kind = kind, .name = name, .value = value };
}

static void random_tree(struct fdt_builder *b, struct script *script, u64 *seed)
{
	const struct byte_view none = { NULL, 0 };
	u32 depth = 0;
	bool properties = true;

	*script = (struct script){ 0 };
	fdt_builder_init(b);
	do {
		u32 choice = random_below(seed, 5);
		struct str name = names[random_below(seed, ARRAY_SIZE(names))];
		bool full = script->count > TOKENS - 20;

		if (choice == 0)
			fdt_builder_word(b, FDT_NOP);
		if (depth == 0 || (choice == 1 && depth < 8 && !full)) {
			fdt_builder_begin(b, depth == 0 ? STR("") : name);
			note(script, FDT_BEGIN_NODE, depth == 0 ? STR("") : name, none);
			script->nodes++;
			depth++;
			properties = true;
		} else if (choice < 4 && properties && !full) {
			struct byte_view value = { value_bytes, random_below(seed, 17) };

			fdt_builder_prop(b, STR("value"), value);
			note(script, FDT_PROP, STR("value"), value);
		} else {
			fdt_builder_end(b);
			note(script, FDT_END_NODE, STR(""), none);
			depth--;
			properties = false;
		}
	} while (depth > 0);
	note(script, FDT_END, STR(""), none);
}

static bool same_token(const struct fdt_token *a, const struct fdt_token *b)
{
	return a->kind == b->kind && str_eq(a->name, b->name) &&
	       str_eq(byte_view_to_str(a->value), byte_view_to_str(b->value));
}

static enum error count_node(const struct fdt_node *node, void *arg)
{
	u32 *count = arg;

	*count += node->name.len < 64;
	return OK;
}

static struct fdt_builder builder;
static struct script script;
static struct fdt fdt;

SELFTEST(model_fdt, "2000 random trees are read back token by token and node by node")
{
	u64 seed = 5;

	for (int i = 0; i < 2000; i++) {
		struct fdt_token token;
		size_t offset = 0;
		u32 nodes = 0;

		random_tree(&builder, &script, &seed);
		REQUIRE(t, fdt_open(fdt_builder_finish(&builder), &fdt) == OK);
		for (size_t k = 0; k < script.count; k++) {
			REQUIRE(t, fdt_next(&fdt, &offset, &token) == OK);
			REQUIRE(t, same_token(&token, &script.tokens[k]));
		}
		CHECK_EQ(t, fdt_for_each_node(&fdt, count_node, &nodes), OK);
		CHECK_EQ(t, nodes, script.nodes);
	}
}

static bool inside(struct byte_view view)
{
	return view.len == 0 || (view.data >= fdt.blob.data &&
				 view.len <= (size_t)(fdt.blob.data + fdt.blob.len - view.data));
}

SELFTEST(model_fdt_damaged,
	 "20000 damaged trees never yield bytes from outside, and each walk ends")
{
	static u8 copy[4096];
	u64 seed = 6;

	for (int i = 0; i < 20000; i++) {
		struct fdt_token token;
		struct byte_view blob;
		size_t offset = 0, steps = 0;
		u32 nodes = 0;

		if (i % 20 == 0) {
			random_tree(&builder, &script, &seed);
			fdt_builder_finish(&builder);
		}
		/* The blob ends where its array ends, so that ASan sees one byte too many. */
		blob = (struct byte_view){ copy + sizeof(copy) - builder.blob.len,
					   builder.blob.len };
		memcpy(copy + sizeof(copy) - blob.len, builder.blob.data, blob.len);
		for (u32 k = 0; k <= random_below(&seed, 3); k++)
			copy[sizeof(copy) - blob.len + random_below(&seed, (u32)blob.len)] =
				(u8)random_u64(&seed);
		if (fdt_open(blob, &fdt) != OK)
			continue;
		while (fdt_next(&fdt, &offset, &token) == OK) {
			CHECK(t, inside(byte_view_from_str(token.name)) && inside(token.value));
			CHECK(t, ++steps <= blob.len / 4);
		}
		(void)!fdt_for_each_node(&fdt, count_node, &nodes);
	}
}
