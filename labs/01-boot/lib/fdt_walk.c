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
	/*
	 * Read the token at *offset of fdt->structure and move *offset past it, skipping
	 * FDT_NOPs. The comment above and fdt.h say what each token carries. Check before you
	 * read: a word, a name, a value or a property's name may lie outside its block, and
	 * every one of those is ERR_CORRUPT with *offset as it was. Lengths come from the blob
	 * and are as large as they like: compare, do not add, and you cannot overflow.
	 */
	LAB_TODO(1, 2);
}
/* mazu: lab 1 interface e8de3539ac10 */
