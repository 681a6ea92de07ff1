/*
 * test_mem.c - criteria for mem.h: each length, alignment and overlap against byte-wise loops.
 * On the host this checks the libc and so the test itself.
 */
#include <mazu/mem.h>
#include <mazu/selftest.h>

#define SPAN 320

static u8 pattern(size_t i)
{
	return (u8)(i * 7 + 3);
}

static void fill(u8 *bytes)
{
	for (size_t i = 0; i < SPAN; i++)
		bytes[i] = pattern(i);
}

/* Checks that [to, to + len) holds what was at `from`, and everything else is untouched. */
static bool moved(const u8 *bytes, size_t to, size_t from, size_t len)
{
	for (size_t i = 0; i < SPAN; i++) {
		bool inside = i >= to && i < to + len;

		if (bytes[i] != (inside ? pattern(i - to + from) : pattern(i)))
			return false;
	}
	return true;
}

SELFTEST(mem_copy, "memcpy copies each length between each pair of alignments, and nothing else")
{
	u8 from[SPAN], to[SPAN];

	for (size_t len = 0; len < 150; len += len < 40 ? 1 : 7) {
		for (size_t a = 0; a < 64; a++) {
			fill(from);
			fill(to);
			CHECK(t, memcpy(to + 8 + a % 8, from + a / 8, len) == to + 8 + a % 8);
			CHECK(t, moved(to, 8 + a % 8, a / 8, len));
		}
	}
}

SELFTEST(mem_move, "memmove is right for every overlap, up and down")
{
	u8 bytes[SPAN];

	for (size_t len = 0; len < 130; len += len < 40 ? 1 : 9) {
		for (size_t to = 0; to < 80; to += 3) {
			fill(bytes);
			CHECK(t, memmove(bytes + to, bytes + 40, len) == bytes + to);
			CHECK(t, moved(bytes, to, 40, len));
		}
		fill(bytes);
		memmove(bytes + 48, bytes + 40, len); /* agrees modulo 8 and overlaps */
		CHECK(t, moved(bytes, 48, 40, len));
	}
}

SELFTEST(mem_set, "memset writes the low byte to each length at each alignment, and nothing else")
{
	u8 bytes[SPAN];

	for (size_t len = 0; len < 300; len += len < 40 ? 1 : 7) {
		for (size_t at = 0; at < 8; at++) {
			fill(bytes);
			/* cppcheck-suppress memsetValueOutOfRange */
			CHECK(t, memset(bytes + at, 0x1a5, len) == bytes + at);
			for (size_t i = 0; i < SPAN; i++)
				CHECK(t, bytes[i] == (i >= at && i < at + len ? 0xa5 : pattern(i)));
		}
	}
}

SELFTEST(mem_compare, "memcmp finds the first difference, as unsigned bytes, at each place")
{
	u8 a[SPAN], b[SPAN];

	for (size_t shift = 0; shift < 8; shift++) {
		for (size_t i = 0; i < SPAN; i++)
			a[i] = b[i] = 0x40;
		for (size_t i = 0; i < 60; i++) {
			a[3 + i] = 0x7f;
			for (size_t k = 0; k < 60; k++)
				b[shift + k] = a[3 + k];
			CHECK(t, memcmp(a + 3, b + shift, 60) == 0);
			b[shift + i] = 0x80;
			b[shift + 60] = 0;
			CHECK(t, memcmp(a + 3, b + shift, 60) < 0);
			CHECK(t, memcmp(b + shift, a + 3, 60) > 0);
			CHECK(t, memcmp(a + 3, b + shift, i) == 0);
			b[shift + i] = 0x7f;
		}
	}
}
