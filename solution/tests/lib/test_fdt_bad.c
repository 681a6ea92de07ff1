/*
 * test_fdt_bad.c - criteria for fdt.h on trees that are wrong: every field of the header, every kind
 * of token, every truncation. Under ASan on the host a read outside the blob also stops the
 * test; here, and in the kernel, what counts is the verdict and that there is one.
 */
#include "fdt_builder.h"

#include <mazu/fdt.h>
#include <mazu/mem.h>
#include <mazu/selftest.h>

/* Header fields by offset (DTSpec 5.2). */
enum {
	MAGIC = 0,
	TOTALSIZE = 4,
	OFF_STRUCT = 8,
	OFF_STRINGS = 12,
	OFF_RESERVE = 16,
	VERSION = 20,
	LAST_COMP = 24,
	SIZE_STRINGS = 32,
	SIZE_STRUCT = 36,
};

static struct fdt_builder builder;
static struct fdt fdt;

static enum error ignore(const struct fdt_node *node, void *arg)
{
	(void)node;
	(void)arg;
	return OK;
}

/* header 0..40, reservations 40..56, structure 56.., strings */
static struct byte_view small_tree(void)
{
	fdt_builder_init(&builder);
	fdt_builder_begin(&builder, STR(""));
	fdt_builder_prop_str(&builder, STR("model"), STR("test"));
	fdt_builder_begin(&builder, STR("memory@80000000"));
	FDT_PROP_CELLS(&builder, STR("reg"), 0, 0x80000000, 0x1000);
	fdt_builder_end(&builder);
	fdt_builder_end(&builder);
	return fdt_builder_finish(&builder);
}

/* Whether the small tree with one header word changed is refused, with exactly these words. */
static bool refused(size_t offset, u32 value, struct str problem)
{
	struct byte_view blob = small_tree();

	fdt_builder_set(&builder, offset, value);
	return fdt_open(blob, &fdt) != OK && str_eq(fdt.problem, problem);
}

SELFTEST(fdt_bad_header, "each lie in the header is refused in words of its own")
{
	u32 size = (u32)small_tree().len;

	REQUIRE(t, fdt_open(small_tree(), &fdt) == OK);
	CHECK(t, refused(MAGIC, 0xd00dfeee, STR("does not begin with the magic number d00dfeed")));
	CHECK(t, refused(TOTALSIZE, 39, STR("total size is less than a header")));
	CHECK(t, refused(TOTALSIZE, size + 1, STR("total size goes beyond what can be read")));
	CHECK(t, refused(TOTALSIZE, ~0u, STR("total size goes beyond what can be read")));
	CHECK(t, refused(VERSION, 15, STR("version is older than 16")));
	CHECK(t, refused(LAST_COMP, 18, STR("is not compatible with version 17")));
	CHECK(t, refused(OFF_RESERVE, 44, STR("memory reservations are not aligned")));
	CHECK(t, refused(OFF_RESERVE, 0xfffffff8, STR("memory reservations have no end")));
	CHECK(t, refused(OFF_STRUCT, 58, STR("structure block is not aligned")));
	CHECK(t, refused(SIZE_STRUCT, 58, STR("structure block is not aligned")));
	CHECK(t, refused(OFF_STRUCT, 0xfffffffc, STR("structure block lies outside the blob")));
	CHECK(t, refused(SIZE_STRUCT, 0xfffffffc, STR("structure block lies outside the blob")));
	CHECK(t, refused(OFF_STRINGS, ~0u, STR("strings block lies outside the blob")));
	CHECK(t, refused(SIZE_STRINGS, ~0u, STR("strings block lies outside the blob")));
}

SELFTEST(fdt_bad_overlap, "blocks that share bytes are refused in words of their own")
{
	CHECK(t, refused(OFF_RESERVE, 32, STR("memory reservations have no end")) ||
			 str_eq(fdt.problem, STR("memory reservations overlap the header")));
	CHECK(t, refused(OFF_STRUCT, 36, STR("structure block overlaps the header")));
	CHECK(t, refused(OFF_STRINGS, 39, STR("strings block overlaps the header")));
	CHECK(t, refused(OFF_STRUCT, 52, STR("structure block overlaps the memory reservations")));
	CHECK(t, refused(OFF_STRINGS, 45, STR("strings block overlaps the memory reservations")));
	CHECK(t, refused(OFF_STRINGS, 60, STR("strings block overlaps the structure block")));
}

SELFTEST(fdt_old_version,
	 "version 16, which lacks the structure's size, is read up to the next block")
{
	struct byte_view blob = small_tree();

	fdt_builder_set(&builder, VERSION, 16);
	fdt_builder_set(&builder, SIZE_STRUCT, ~0u);
	REQUIRE(t, fdt_open(blob, &fdt) == OK);
	CHECK_EQ(t, fdt_for_each_node(&fdt, ignore, NULL), OK);
}

SELFTEST(fdt_bad_truncated, "a tree cut off after any byte is refused")
{
	static u8 cut[1024];
	struct byte_view blob = small_tree();

	REQUIRE(t, blob.len <= sizeof(cut));
	for (size_t len = 0; len < blob.len; len++) {
		struct byte_view view = { cut + sizeof(cut) - len, len };

		memcpy(cut + sizeof(cut) - len, blob.data, len);
		CHECK(t, fdt_open(view, &fdt) != OK);
		CHECK(t, fdt.problem.len > 0);
		if (len < 40)
			continue;
		/* ... and with a header that admits it, at the latest in the walk. */
		cut[sizeof(cut) - len + 6] = (u8)(len >> 8);
		cut[sizeof(cut) - len + 7] = (u8)len;
		CHECK(t, fdt_open(view, &fdt) != OK);
	}
}

/* Walks what was built, from the root's beginning on. Whether it is refused with these words. */
static bool walk_refused(struct byte_view blob, struct str problem)
{
	return fdt_open(blob, &fdt) == OK && fdt_for_each_node(&fdt, ignore, NULL) == ERR_CORRUPT &&
	       str_eq(fdt.problem, problem) && fdt.problem_offset < blob.len + 1;
}

static void begin_tree(void)
{
	fdt_builder_init(&builder);
	fdt_builder_begin(&builder, STR(""));
}

#define BAD_TOKEN STR("a token is unknown or goes beyond its block")

SELFTEST(fdt_bad_tokens, "a token that is unknown or does not fit is refused")
{
	begin_tree();
	fdt_builder_word(&builder, 5);
	CHECK(t, walk_refused(fdt_builder_finish(&builder), BAD_TOKEN));

	begin_tree(); /* a name without an end */
	fdt_builder_word(&builder, FDT_BEGIN_NODE);
	fdt_builder_word(&builder, 0x61616161);
	CHECK(t, walk_refused(fdt_builder_finish_open(&builder), BAD_TOKEN));

	begin_tree(); /* a value longer than the block, by a little and by 2^32 - 1 */
	fdt_builder_prop_str(&builder, STR("p"), STR("value"));
	fdt_builder_end(&builder);
	CHECK_EQ(t, fdt_open(fdt_builder_finish(&builder), &fdt), OK);
	for (u32 len = 17; len != 0; len = len == 17 ? ~0u : 0) {
		fdt_builder_set(&builder, 56 + 12, len);
		CHECK(t, walk_refused(byte_buf_view(&builder.blob), BAD_TOKEN));
	}
	fdt_builder_set(&builder, 56 + 12, 6);
	for (u32 name = 2; name != 0; name = name == 2 ? ~0u : 0) { /* a name outside the strings */
		fdt_builder_set(&builder, 56 + 16, name);
		CHECK(t, walk_refused(byte_buf_view(&builder.blob), BAD_TOKEN));
	}
}

SELFTEST(fdt_bad_strings, "a property name that is not ended inside its block is refused")
{
	begin_tree();
	fdt_builder_prop_str(&builder, STR("p"), STR("value"));
	fdt_builder_end(&builder);
	CHECK_EQ(t, fdt_open(fdt_builder_finish(&builder), &fdt), OK);
	fdt_builder_set(&builder, SIZE_STRINGS, 1); /* "p" without its NUL */
	CHECK(t, walk_refused(byte_buf_view(&builder.blob), BAD_TOKEN));
}

SELFTEST(fdt_name_bound, "a name may be as long as FDT_NAME_MAX and no longer")
{
	char name[FDT_NAME_MAX + 1];

	memset(name, 'n', sizeof(name));
	for (size_t len = FDT_NAME_MAX; len <= FDT_NAME_MAX + 1; len++) {
		begin_tree();
		fdt_builder_begin(&builder, (struct str){ name, len });
		fdt_builder_end(&builder);
		fdt_builder_end(&builder);
		REQUIRE(t, fdt_open(fdt_builder_finish(&builder), &fdt) == OK);
		CHECK_EQ(t, fdt_for_each_node(&fdt, ignore, NULL) == OK, len == FDT_NAME_MAX);
	}
}

SELFTEST(fdt_bad_nesting, "nodes that do not nest, or nest too deep, are refused in words")
{
	fdt_builder_init(&builder);
	CHECK(t, walk_refused(fdt_builder_finish(&builder), STR("no root node")));

	begin_tree();
	CHECK(t, walk_refused(fdt_builder_finish(&builder), STR("the tree ends inside a node")));

	begin_tree();
	fdt_builder_end(&builder);
	CHECK(t, walk_refused(fdt_builder_finish_open(&builder), BAD_TOKEN));

	begin_tree();
	fdt_builder_end(&builder);
	fdt_builder_end(&builder);
	CHECK(t, walk_refused(fdt_builder_finish(&builder), STR("a node ends that never began")));

	begin_tree();
	fdt_builder_end(&builder);
	fdt_builder_begin(&builder, STR("again"));
	fdt_builder_end(&builder);
	CHECK(t, walk_refused(fdt_builder_finish(&builder), STR("a second root node")));

	begin_tree();
	for (u32 depth = 1; depth <= FDT_DEPTH_MAX; depth++)
		fdt_builder_begin(&builder, STR("n"));
	CHECK(t, walk_refused(fdt_builder_finish(&builder), STR("nodes nest too deep")));
}

SELFTEST(fdt_deepest, "a tree of exactly the permitted depth is walked")
{
	begin_tree();
	for (u32 depth = 1; depth < FDT_DEPTH_MAX; depth++)
		fdt_builder_begin(&builder, STR("n"));
	for (u32 depth = 0; depth < FDT_DEPTH_MAX; depth++)
		fdt_builder_end(&builder);
	REQUIRE(t, fdt_open(fdt_builder_finish(&builder), &fdt) == OK);
	CHECK_EQ(t, fdt_for_each_node(&fdt, ignore, NULL), OK);
}

SELFTEST(fdt_bad_properties, "properties in the wrong place, twice, or of a wrong size are refused")
{
	fdt_builder_init(&builder);
	fdt_builder_prop_str(&builder, STR("p"), STR(""));
	CHECK(t, walk_refused(fdt_builder_finish(&builder), STR("a property outside any node")));

	begin_tree();
	fdt_builder_begin(&builder, STR("n"));
	fdt_builder_end(&builder);
	fdt_builder_prop_str(&builder, STR("p"), STR(""));
	CHECK(t, walk_refused(fdt_builder_finish(&builder), STR("a property after a child node")));

	begin_tree();
	FDT_PROP_CELLS(&builder, STR("reg"), 1);
	FDT_PROP_CELLS(&builder, STR("reg"), 2);
	CHECK(t, walk_refused(fdt_builder_finish(&builder),
			      STR("a property given twice in one node")));

	begin_tree();
	FDT_PROP_CELLS(&builder, STR("#address-cells"), 1, 1);
	CHECK(t, walk_refused(fdt_builder_finish(&builder),
			      STR("a cell count or phandle that is not one cell long")));
}

SELFTEST(fdt_bad_tail, "bytes after the end of the tree are refused")
{
	begin_tree();
	fdt_builder_end(&builder);
	fdt_builder_word(&builder, FDT_END);
	CHECK(t, walk_refused(fdt_builder_finish(&builder),
			      STR("more follows after the end of the tree")));
}
