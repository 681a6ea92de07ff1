/*
 * fmt.h - numbers and text into bytes: the one formatter of the kernel.
 *
 * The conversions mean what C11 section 7.21.6.1 says, so that the compiler checks each call:
 *
 *	%d %i %u %x %X %o %c %s %p %%
 *	flags - 0 + space #	width	.precision	* for either
 *	length hh h l ll z t	(j, L and floating point: left out)
 *
 * Where the standard leaves a choice: %p of NULL is "(nil)", any other pointer is as %#lx; %s of
 * NULL is "(null)"; a conversion that is not in the list is copied to the output as it stands
 * and takes no argument; a width or precision that does not fit an int is INT_MAX.
 *
 * Pure: no state, no allocation, any context, bounded by the format's length and the buffer.
 */
#ifndef MAZU_FMT_H
#define MAZU_FMT_H

#include <mazu/types.h>
#include <stdarg.h>

struct byte_buf;

/* One conversion specification, parsed. */
struct fmt_spec {
	u8 base;	/* 8, 10 or 16 */
	bool left;	/* '-': pad on the right */
	bool zero;	/* '0': pad with zeros, after the sign and the prefix */
	bool plus;	/* '+': a sign always */
	bool space;	/* ' ': a blank where a plus would stand */
	bool alternate; /* '#': 0x, 0X or a leading 0 */
	bool upper;	/* 'X': digits and prefix in capitals */
	int width;	/* at least so many bytes; >= 0 */
	int precision;	/* at least so many digits; -1: none was given */
};

/*
 * Appends formatted text to `out`. Returns how many bytes the whole text has, whether they
 * fitted or not (out->truncated grew by those that did not).
 */
size_t fmt(struct byte_buf *out, const char *format, ...) __printf(2, 3);
size_t fmt_v(struct byte_buf *out, const char *format, va_list args) __printf(2, 0);

/*
 * Appends one number: `magnitude` with a minus sign if `negative`. `plus` and `space` are looked
 * at whatever the base; the caller clears them for unsigned conversions.
 */
void fmt_number(struct byte_buf *out, u64 magnitude, bool negative, const struct fmt_spec *spec);

#endif
