/*
 * fdt_builder.h - makes device-tree blobs for tests, good ones and bad ones.
 *
 * The calls write tokens in order into bounded buffers and check nothing, since most tests want a
 * tree that is wrong in one exact way. fdt_builder_finish() puts the blocks together; the
 * fdt_builder_set() then spoils any word of the header.
 */
#ifndef MAZU_TESTS_FDT_BUILDER_H
#define MAZU_TESTS_FDT_BUILDER_H

#include <mazu/bytes.h>
#include <mazu/fdt.h>
#include <mazu/str.h>
#include <mazu/types.h>

struct fdt_builder {
	struct byte_buf structure, strings, reservations, blob;
	u8 structure_bytes[2048];
	u8 strings_bytes[512];
	u8 reservation_bytes[64];
	u8 blob_bytes[4096];
};

void fdt_builder_init(struct fdt_builder *b);

/* One raw word of the structure block. */
void fdt_builder_word(struct fdt_builder *b, u32 word);

void fdt_builder_begin(struct fdt_builder *b, struct str name);
void fdt_builder_end(struct fdt_builder *b);
void fdt_builder_prop(struct fdt_builder *b, struct str name, struct byte_view value);
void fdt_builder_prop_str(struct fdt_builder *b, struct str name, struct str value);
void fdt_builder_prop_cells(struct fdt_builder *b, struct str name, const u32 *cells, size_t count);
void fdt_builder_reserve(struct fdt_builder *b, u64 base, u64 size);

#define FDT_PROP_CELLS(b, name, ...)                                                               \
	fdt_builder_prop_cells((b), (name), (const u32[]){ __VA_ARGS__ },                          \
			       sizeof((const u32[]){ __VA_ARGS__ }) / sizeof(u32))

/* Adds the END token and the header; the blob is whole. */
struct byte_view fdt_builder_finish(struct fdt_builder *b);

/* The same without the END token. */
struct byte_view fdt_builder_finish_open(struct fdt_builder *b);

/* Overwrites the big-endian word at a byte offset of the finished blob. */
void fdt_builder_set(struct fdt_builder *b, size_t offset, u32 value);

#endif
