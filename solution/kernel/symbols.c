/*
 * Looking up the name of an address: binary search in a sorted table of offsets.
 *
 * Offsets count from _text_start and ascend; names are NUL-terminated and found by a second
 * table of the same length.
 */
#include <mazu/symbols.h>

#define SYMBOL_NAME_MAX 64

extern const char _text_start[], _text_end[];
extern const u64 kernel_symtab_count, kernel_symtab_names_size;
extern const u32 kernel_symtab_offsets[], kernel_symtab_names_at[];
extern const char kernel_symtab_names[];

bool symbol_is_text(uptr address)
{
	return address >= (uptr)_text_start && address < (uptr)_text_end;
}

/* The last entry whose offset is not above `offset`; invariant: it lies in [low, high). */
static size_t symbol_index(u64 offset)
{
	size_t low = 0, high = kernel_symtab_count;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (kernel_symtab_offsets[middle] <= offset)
			low = middle;
		else
			high = middle;
	}
	return low;
}

struct symbol symbol_find(uptr address)
{
	u64 offset = address - (uptr)_text_start;

	if (!symbol_is_text(address) || kernel_symtab_count == 0 ||
	    offset < kernel_symtab_offsets[0])
		return (struct symbol){ .offset = address };

	size_t at = symbol_index(offset);

	return (struct symbol){
		.name = str_from_cstr_bounded(&kernel_symtab_names[kernel_symtab_names_at[at]],
					      SYMBOL_NAME_MAX),
		.offset = offset - kernel_symtab_offsets[at],
	};
}

struct symbol symbol_find_return(uptr address)
{
	struct symbol symbol = symbol_find(address - 1);

	symbol.offset++;
	return symbol;
}
