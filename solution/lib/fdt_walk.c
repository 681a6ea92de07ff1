/*
 * fdt_walk.c - the structure block of a device tree, one token at a time.
 *
 * The block is a row of tokens. Each is a big-endian word that says what it is, for some
 * followed by data, then zeros up to the next multiple of 4:
 *
 *	BEGIN_NODE (1)  name, NUL		a node opens
 *	PROP       (3)  len, nameoff, value	len bytes of value; the name is in the strings block
 *	END_NODE   (2)				the innermost open node closes
 *	NOP        (4)				nothing; whoever deleted something left it
 *	END        (9)				the last token
 *
 * The bytes come from outside. A length or an offset in them may be any number at all, so each is
 * compared with what is left of its block before it is used, and never added to anything first. A
 * token is either read whole or refused; whether tokens make sense together is for the next
 * layer (fdt_node.c). Specification: DTSpec v0.4 section 5.4.
 */
#include <mazu/fdt.h>

/* The string at `offset`, if it ends inside the block and is no longer than a name may be. */
static struct result_str name_at(struct byte_view block, size_t offset)
{
	if (offset >= block.len)
		return result_str_err(ERR_CORRUPT);

	const char *name = (const char *)block.data + offset;
	size_t left = MIN(block.len - offset, (size_t)FDT_NAME_MAX + 1);
	struct result_sz len = str_find_char((struct str){ name, left }, '\0');

	if (len.err)
		return result_str_err(ERR_CORRUPT);
	return result_str_ok((struct str){ name, len.value });
}

enum error fdt_next(const struct fdt *fdt, size_t *offset, struct fdt_token *token)
{
	struct byte_view block = fdt->structure;
	struct result_u32 word;
	size_t at = *offset;

	do {
		word = byte_view_be32(block, at);
		if (word.err)
			return ERR_CORRUPT;
		at += sizeof(u32);
	} while (word.value == FDT_NOP);

	*token = (struct fdt_token){ .kind = (enum fdt_token_kind)word.value };
	if (word.value == FDT_BEGIN_NODE) {
		struct result_str name = name_at(block, at);

		if (name.err)
			return ERR_CORRUPT;
		token->name = name.value;
		at += name.value.len + 1;
	} else if (word.value == FDT_PROP) {
		struct result_u32 len = byte_view_be32(block, at);
		struct result_u32 name_offset = byte_view_be32(block, at + 4);

		if (len.err || name_offset.err)
			return ERR_CORRUPT;

		struct result_byte_view value = byte_view_slice(block, at + 8, len.value);
		struct result_str name = name_at(fdt->strings, name_offset.value);

		if (value.err || name.err)
			return ERR_CORRUPT;
		token->name = name.value;
		token->value = value.value;
		at += 8 + (size_t)len.value;
	} else if (word.value != FDT_END_NODE && word.value != FDT_END) {
		return ERR_CORRUPT;
	}
	*offset = ALIGN_UP(at, 4);
	return OK;
}
