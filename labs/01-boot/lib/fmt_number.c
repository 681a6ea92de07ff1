/*
 * fmt_number.c - one number, in any of the shapes that a format can ask for.
 *
 * A number on paper has five parts, in this order, each of which may be empty:
 *
 *	blanks | sign and prefix | zeros | digits | blanks
 *
 * Dividing by the base gives the digits, but the least significant first; so they are written from
 * the end of a small array towards its front. Everything else is a count of blanks or zeros.
 *
 * The sign comes apart from the magnitude because the most negative 64-bit number has none
 * that a signed type could hold. Specification: C11 section 7.21.6.1, paragraphs 4 to 8.
 */
#include <mazu/bytes.h>
#include <mazu/fmt.h>
#include <mazu/str.h>

/* The longest number is 2^64-1 in octal. */
#define DIGITS_MAX 22

/* The sign, if the number shows one. */
static struct str sign_of(bool negative, const struct fmt_spec *spec)
{
	if (negative)
		return STR("-");
	if (spec->plus)
		return STR("+");
	return spec->space ? STR(" ") : STR("");
}

/* What '#' puts before hexadecimal digits; zero gets none. Octal's 0 counts as a digit instead. */
static struct str prefix_of(u64 magnitude, const struct fmt_spec *spec)
{
	if (!spec->alternate || spec->base != 16 || magnitude == 0)
		return STR("");
	return spec->upper ? STR("0X") : STR("0x");
}

void fmt_number(struct byte_buf *out, u64 magnitude, bool negative, const struct fmt_spec *spec)
{
	/*
	 * Append one number to out. The digits come out least significant first, so collect
	 * them in a small array from its end. In front of the digits go, in this order: blanks
	 * up to the width, the sign or a blank, the prefix (0x), zeros. A precision is the
	 * least number of digits and switches the zero flag off; precision 0 and the value 0
	 * together print no digit at all. The longest number has 22 digits, in base 8.
	 */
	LAB_TODO(1, 3);
}
/* mazu: lab 1 interface 17cbb71f7646 */
