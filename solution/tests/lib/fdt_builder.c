/*
 * fdt_builder.c - see fdt_builder.h. Layout: header, reservations, structure, strings, without
 * gaps (DTSpec v0.4 figure 5.1). Equal property names are stored once, as dtc does.
 */
#include "fdt_builder.h"

#define HEADER_SIZE 40

static void put_be32(struct byte_buf *out, u32 value)
{
	for (int shift = 24; shift >= 0; shift -= 8)
		byte_buf_append_byte(out, (u8)(value >> shift));
}

static void put_be64(struct byte_buf *out, u64 value)
{
	put_be32(out, (u32)(value >> 32));
	put_be32(out, (u32)value);
}

static void pad(struct byte_buf *out)
{
	byte_buf_fill(out, 0, ALIGN_UP(out->len, 4) - out->len);
}

void fdt_builder_init(struct fdt_builder *b)
{
	b->structure = BYTE_BUF(b->structure_bytes);
	b->strings = BYTE_BUF(b->strings_bytes);
	b->reservations = BYTE_BUF(b->reservation_bytes);
	b->blob = BYTE_BUF(b->blob_bytes);
}

void fdt_builder_word(struct fdt_builder *b, u32 word)
{
	put_be32(&b->structure, word);
}

void fdt_builder_begin(struct fdt_builder *b, struct str name)
{
	put_be32(&b->structure, FDT_BEGIN_NODE);
	byte_buf_append_str(&b->structure, name);
	byte_buf_append_byte(&b->structure, 0);
	pad(&b->structure);
}

void fdt_builder_end(struct fdt_builder *b)
{
	put_be32(&b->structure, FDT_END_NODE);
}

/* The offset of a name in the strings block, where it is added if it is new. */
static u32 name_offset(struct fdt_builder *b, struct str name)
{
	struct str all = byte_buf_to_str(&b->strings);
	size_t at = 0;

	while (at < all.len) {
		struct str here = str_skip(all, at);

		here.len = str_find_char(here, '\0').value;
		if (str_eq(here, name))
			return (u32)at;
		at += here.len + 1;
	}
	byte_buf_append_str(&b->strings, name);
	byte_buf_append_byte(&b->strings, 0);
	return (u32)at;
}

void fdt_builder_prop(struct fdt_builder *b, struct str name, struct byte_view value)
{
	put_be32(&b->structure, FDT_PROP);
	put_be32(&b->structure, (u32)value.len);
	put_be32(&b->structure, name_offset(b, name));
	byte_buf_append(&b->structure, value);
	pad(&b->structure);
}

void fdt_builder_prop_str(struct fdt_builder *b, struct str name, struct str value)
{
	u8 bytes[64];
	struct byte_buf terminated = BYTE_BUF(bytes);

	byte_buf_append_str(&terminated, value);
	byte_buf_append_byte(&terminated, 0);
	fdt_builder_prop(b, name, byte_buf_view(&terminated));
}

void fdt_builder_prop_cells(struct fdt_builder *b, struct str name, const u32 *cells, size_t count)
{
	u8 bytes[128];
	struct byte_buf value = BYTE_BUF(bytes);

	for (size_t i = 0; i < count; i++)
		put_be32(&value, cells[i]);
	fdt_builder_prop(b, name, byte_buf_view(&value));
}

void fdt_builder_reserve(struct fdt_builder *b, u64 base, u64 size)
{
	put_be64(&b->reservations, base);
	put_be64(&b->reservations, size);
}

struct byte_view fdt_builder_finish_open(struct fdt_builder *b)
{
	struct byte_buf *out = &b->blob;
	u32 structure_at, strings_at;

	fdt_builder_reserve(b, 0, 0);
	structure_at = (u32)(HEADER_SIZE + b->reservations.len);
	strings_at = (u32)(structure_at + b->structure.len);

	const u32 header[] = {
		0xd00dfeed,
		(u32)(strings_at + b->strings.len), /* magic, totalsize */
		structure_at,
		strings_at,
		HEADER_SIZE, /* where the blocks are */
		17,
		16,
		0, /* version, last compatible, hart */
		(u32)b->strings.len,
		(u32)b->structure.len, /* their sizes */
	};

	byte_buf_reset(out);
	for (size_t i = 0; i < ARRAY_SIZE(header); i++)
		put_be32(out, header[i]);
	byte_buf_append(out, byte_buf_view(&b->reservations));
	byte_buf_append(out, byte_buf_view(&b->structure));
	byte_buf_append(out, byte_buf_view(&b->strings));
	return byte_buf_view(out);
}

struct byte_view fdt_builder_finish(struct fdt_builder *b)
{
	put_be32(&b->structure, FDT_END);
	return fdt_builder_finish_open(b);
}

void fdt_builder_set(struct fdt_builder *b, size_t offset, u32 value)
{
	size_t len = b->blob.len;

	b->blob.len = offset;
	put_be32(&b->blob, value);
	b->blob.len = len;
}
