/*
 * symbols.h - names for addresses in the kernel's text.
 *
 * The table is written by the build from the linked kernel (solution/tools/symbols.py) and linked
 * in behind the text. In a kernel without one every address is nameless.
 */
#ifndef MAZU_SYMBOLS_H
#define MAZU_SYMBOLS_H

#include <mazu/str.h>
#include <mazu/types.h>

struct symbol {
	struct str name; /* empty: unknown */
	u64 offset;	 /* from the function's first byte */
};

/* The function that holds `address`. Any context; log2(number of functions) steps. */
struct symbol symbol_find(uptr address);

/*
 * The same for a return address: it may lie just behind a function whose last instruction was the
 * call, so the function is that of the byte before.
 */
struct symbol symbol_find_return(uptr address);

/* Whether an address lies in the kernel's text. */
bool symbol_is_text(uptr address);

#endif
