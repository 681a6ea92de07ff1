/*
 * bits.h - finding bits, on harts that have no instruction for it.
 *
 * A single bit times a de Bruijn constant moves a pattern into the top six bits that is different
 * for each of the 64; a table tells which. A handful of instructions, the same for every word.
 *
 * Source: Leiserson, Prokop, Randall: "Using de Bruijn Sequences to Index a 1 in a Computer Word", 1998.
 */
#ifndef MAZU_BITS_H
#define MAZU_BITS_H

#include <mazu/types.h>

extern const u8 bit_numbers[64];

/* The number of the lowest bit that is set; `word` is not 0. */
static inline u32 bit_lowest(u64 word)
{
	return bit_numbers[(word & -word) * 0x03f79d71b4cb0a89UL >> 58];
}

#endif
