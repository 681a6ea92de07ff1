/*
 * mem.c - memcpy, memmove, memset and memcmp for the kernel (on the host, the libc's are used).
 *
 * A misaligned load may trap into the firmware and cost hundreds of cycles there, so words
 * are used only where they lie on word boundaries. Two blocks can be walked by words together
 * when their addresses agree modulo 8; a few single bytes at the front get both onto a
 * boundary, then the bulk goes 16 words a round, and single bytes finish. Blocks that do not agree
 * go by bytes, 8 a round. The rounds are written out by hand since -O2 does not unroll; a page
 * takes about 1180 instructions to copy and 610 to clear.
 *
 * The compiler would recognise these loops as "a memcpy" and call memcpy for them. The Makefile
 * forbids that with -fno-tree-loop-distribute-patterns.
 *
 * Left out: the vector extension, and shifting words together for blocks that do not agree.
 */
#include <mazu/mem.h>

/* A machine word that may alias any object: character types are not the only ones (GCC manual). */
typedef u64 __attribute__((may_alias)) word;

#define WORD sizeof(word)
#define ROUND (16 * WORD) /* bytes in one round that is written out */

static inline bool is_aligned(const void *p)
{
	return (uptr)p % WORD == 0;
}

static inline bool agree(const void *a, const void *b)
{
	return ((uptr)a ^ (uptr)b) % WORD == 0;
}

/* All copies below go upwards and read each byte before they write at or above it. */
static inline void copy_bytes(u8 *to, const u8 *from, size_t len)
{
	for (; len >= 8; len -= 8, to += 8, from += 8) {
		to[0] = from[0];
		to[1] = from[1];
		to[2] = from[2];
		to[3] = from[3];
		to[4] = from[4];
		to[5] = from[5];
		to[6] = from[6];
		to[7] = from[7];
	}
	while (len-- > 0)
		*to++ = *from++;
}

/* `len` is a multiple of the word size. */
static inline void copy_words(word *to, const word *from, size_t len)
{
	const word *rounds_end = from + len / ROUND * (ROUND / WORD);
	const word *end = from + len / WORD;

	for (; from != rounds_end; to += 16, from += 16) {
		to[0] = from[0];
		to[1] = from[1];
		to[2] = from[2];
		to[3] = from[3];
		to[4] = from[4];
		to[5] = from[5];
		to[6] = from[6];
		to[7] = from[7];
		to[8] = from[8];
		to[9] = from[9];
		to[10] = from[10];
		to[11] = from[11];
		to[12] = from[12];
		to[13] = from[13];
		to[14] = from[14];
		to[15] = from[15];
	}
	while (from != end)
		*to++ = *from++;
}

static inline void copy_up(u8 *to, const u8 *from, size_t len)
{
	if (len >= 2 * WORD && agree(to, from)) {
		size_t bulk;

		for (; !is_aligned(to); len--)
			*to++ = *from++;
		bulk = len & ~(WORD - 1);
		copy_words((word *)to, (const word *)from, bulk);
		to += bulk;
		from += bulk;
		len -= bulk;
	}
	copy_bytes(to, from, len);
}

/* The same from the top end down, for a block that moves up onto itself. */
static inline void copy_down(u8 *to, const u8 *from, size_t len)
{
	to += len;
	from += len;
	if (agree(to, from)) {
		for (; len > 0 && !is_aligned(to); len--)
			*--to = *--from;
		for (; len >= WORD; len -= WORD) {
			to -= WORD;
			from -= WORD;
			*(word *)to = *(const word *)from;
		}
	}
	while (len-- > 0)
		*--to = *--from;
}

void *memcpy(void *restrict to, const void *restrict from, size_t len)
{
	copy_up(to, from, len);
	return to;
}

void *memmove(void *to, const void *from, size_t len)
{
	/* One comparison for both "below" and "clear of it": the difference wraps when below. */
	if ((uptr)to - (uptr)from >= len)
		copy_up(to, from, len);
	else
		copy_down(to, from, len);
	return to;
}

static inline word *set_words(word *to, word value, size_t len)
{
	word *rounds_end = to + len / ROUND * (ROUND / WORD);
	word *end = to + len / WORD;

	for (; to != rounds_end; to += 16) {
		to[0] = value;
		to[1] = value;
		to[2] = value;
		to[3] = value;
		to[4] = value;
		to[5] = value;
		to[6] = value;
		to[7] = value;
		to[8] = value;
		to[9] = value;
		to[10] = value;
		to[11] = value;
		to[12] = value;
		to[13] = value;
		to[14] = value;
		to[15] = value;
	}
	while (to != end)
		*to++ = value;
	return to;
}

void *memset(void *to, int byte, size_t len)
{
	u8 *at = to;
	u8 *end = at + len;

	if (len >= 2 * WORD) {
		word value = (u8)byte * 0x0101010101010101u;

		while (!is_aligned(at))
			*at++ = (u8)byte;
		at = (u8 *)set_words((word *)at, value, (size_t)(end - at));
	}
	while (at != end)
		*at++ = (u8)byte;
	return to;
}

int memcmp(const void *a, const void *b, size_t len)
{
	const u8 *x = a;
	const u8 *y = b;

	if (agree(x, y)) {
		for (; len > 0 && !is_aligned(x) && *x == *y; len--, x++, y++)
			;
		/* Equal words are skipped; the bytes of the first unequal one decide below. */
		while (is_aligned(x) && len >= WORD && *(const word *)x == *(const word *)y) {
			len -= WORD;
			x += WORD;
			y += WORD;
		}
	}
	for (; len > 0; len--, x++, y++) {
		if (*x != *y)
			return *x < *y ? -1 : 1;
	}
	return 0;
}
