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
	const char *alphabet = spec->upper ? "0123456789ABCDEF" : "0123456789abcdef";
	struct str sign = sign_of(negative, spec);
	struct str prefix = prefix_of(magnitude, spec);
	char digits[DIGITS_MAX];
	char *first = digits + DIGITS_MAX;

	for (u64 rest = magnitude; rest != 0; rest /= spec->base)
		*--first = alphabet[rest % spec->base];

	/* 64-bit counts: a width or precision near INT_MAX must not overflow a sum. */
	i64 count = digits + DIGITS_MAX - first;
	i64 least = spec->precision < 0 ? 1 : spec->precision; /* so that 0 has a digit */
	if (spec->alternate && spec->base == 8)
		least = MAX(least, count + 1); /* '#' in octal: the first digit is a zero */
	i64 zeros = MAX(least - count, 0);
	i64 blanks = spec->width - (i64)(sign.len + prefix.len) - zeros - count;

	if (blanks < 0)
		blanks = 0;
	/* '0' turns the blanks into zeros, unless a precision or '-' says where they go. */
	if (spec->zero && !spec->left && spec->precision < 0) {
		zeros += blanks;
		blanks = 0;
	}

	if (!spec->left)
		byte_buf_fill(out, ' ', (size_t)blanks);
	byte_buf_append_str(out, sign);
	byte_buf_append_str(out, prefix);
	byte_buf_fill(out, '0', (size_t)zeros);
	byte_buf_append_str(out, (struct str){ first, (size_t)count });
	if (spec->left)
		byte_buf_fill(out, ' ', (size_t)blanks);
}
