/*
 * fmt.c - the formatter: reading the format and the arguments.
 *
 * A format is a row of literal runs and conversions. A run is appended in one piece. A
 * conversion is first parsed completely and only then may take arguments: so one that we do
 * not know is copied as it stands and the arguments of the next stay in step, and a format that
 * ends in the middle of a conversion is harmless. Numbers are made by fmt_number(), in a file of
 * its own.
 *
 * Called by printk, the console and everybody else who needs text; in any context.
 * Left out: %n (it writes through an argument), floating point (the kernel has none), wide
 * characters, and the POSIX extensions. Specification: C11 section 7.21.6.1.
 */
#include <mazu/bytes.h>
#include <mazu/fmt.h>
#include <mazu/str.h>

enum length { LENGTH_INT, LENGTH_CHAR, LENGTH_SHORT, LENGTH_LONG };

/* One conversion as it stands in the format; nothing has been taken from the arguments. */
struct conversion {
	struct fmt_spec spec;
	bool width_argument;	 /* '*' */
	bool precision_argument; /* '.*' */
	enum length length;
	bool has_length;
	char kind; /* the letter; NUL when the format ends first */
};

/* An argument list that functions can take turns at: va_list may be an array type. */
struct arguments {
	va_list list;
};

static const char *parse_flags(const char *p, struct fmt_spec *spec)
{
	/* In ASCII no flag lies above '0', and most of what follows a '%' does. */
	for (; *p <= '0'; p++) {
		switch (*p) {
		case '-': spec->left = true; break;
		case '0': spec->zero = true; break;
		case '+': spec->plus = true; break;
		case ' ': spec->space = true; break;
		case '#': spec->alternate = true; break;
		default: return p;
		}
	}
	return p;
}

/* A decimal number or '*'. Without digits *value becomes 0; above INT_MAX it stays there. */
static const char *parse_count(const char *p, int *value, bool *argument)
{
	if (*p == '*') {
		*argument = true;
		return p + 1;
	}
	*value = 0;
	for (; *p >= '0' && *p <= '9'; p++) {
		if (__builtin_mul_overflow(*value, 10, value) ||
		    __builtin_add_overflow(*value, *p - '0', value))
			*value = INT_MAX;
	}
	return p;
}

static const char *parse_length(const char *p, struct conversion *conv)
{
	const char *start = p;

	switch (*p) {
	case 'h':
		conv->length = p[1] == 'h' ? LENGTH_CHAR : LENGTH_SHORT;
		p += p[1] == 'h' ? 2 : 1;
		break;
	case 'l':
		conv->length = LENGTH_LONG;
		p += p[1] == 'l' ? 2 : 1;
		break;
	case 'z':
	case 't':
		conv->length = LENGTH_LONG;
		p++;
		break;
	default: break;
	}
	conv->has_length = p != start;
	return p;
}

/* Parses what follows a '%'; returns where the text goes on. */
static const char *parse_conversion(const char *p, struct conversion *conv)
{
	*conv = (struct conversion){ .spec = { .base = 10, .precision = -1 } };
	p = parse_flags(p, &conv->spec);
	p = parse_count(p, &conv->spec.width, &conv->width_argument);
	if (*p == '.')
		p = parse_count(p + 1, &conv->spec.precision, &conv->precision_argument);
	p = parse_length(p, conv);
	conv->kind = *p;
	return *p == '\0' ? p : p + 1;
}

static bool is_known(const struct conversion *conv)
{
	switch (conv->kind) {
	case 'd':
	case 'i':
	case 'u':
	case 'x':
	case 'X':
	case 'o': return true;
	case 'c':
	case 's':
	case 'p':
	case '%': return !conv->has_length;
	default: return false;
	}
}

/* A '*' width below zero is the '-' flag and a width; such a precision is none (7.21.6.1p5). */
static void take_counts(struct conversion *conv, struct arguments *args)
{
	if (conv->width_argument) {
		int width = va_arg(args->list, int);

		conv->spec.left |= width < 0;
		conv->spec.width = width >= 0 ? width : width == INT_MIN ? INT_MAX : -width;
	}
	if (conv->precision_argument)
		conv->spec.precision = MAX(va_arg(args->list, int), -1);
}

static i64 take_signed(enum length length, struct arguments *args)
{
	switch (length) {
	case LENGTH_LONG: return va_arg(args->list, i64);
	case LENGTH_CHAR: return (i8)va_arg(args->list, int);
	case LENGTH_SHORT: return (i16)va_arg(args->list, int);
	default: return va_arg(args->list, int);
	}
}

static u64 take_unsigned(enum length length, struct arguments *args)
{
	switch (length) {
	case LENGTH_LONG: return va_arg(args->list, u64);
	case LENGTH_CHAR: return (u8)va_arg(args->list, unsigned int);
	case LENGTH_SHORT: return (u16)va_arg(args->list, unsigned int);
	default: return va_arg(args->list, unsigned int);
	}
}

static void put_signed(struct byte_buf *out, i64 value, const struct fmt_spec *spec)
{
	/* Negated as unsigned, where the most negative number has a magnitude too. */
	fmt_number(out, value < 0 ? -(u64)value : (u64)value, value < 0, spec);
}

static void put_unsigned(struct byte_buf *out, u64 value, u8 base, struct fmt_spec *spec)
{
	spec->base = base;
	spec->plus = spec->space = false; /* signs belong to signed conversions */
	fmt_number(out, value, false, spec);
}

static void put_str(struct byte_buf *out, struct str s, const struct fmt_spec *spec)
{
	size_t width = (size_t)spec->width;
	size_t pad = width > s.len ? width - s.len : 0;

	if (!spec->left)
		byte_buf_fill(out, ' ', pad);
	byte_buf_append_str(out, s);
	if (spec->left)
		byte_buf_fill(out, ' ', pad);
}

/* With a precision, no byte beyond it is read: the string needs no NUL then. */
static void put_cstr(struct byte_buf *out, const char *text, const struct fmt_spec *spec)
{
	size_t max = spec->precision < 0 ? SIZE_MAX : (size_t)spec->precision;

	put_str(out, str_from_cstr_bounded(text ? text : "(null)", max), spec);
}

static void put_pointer(struct byte_buf *out, const void *pointer, struct fmt_spec *spec)
{
	if (!pointer) {
		put_str(out, STR("(nil)"), spec);
		return;
	}
	spec->alternate = true;
	put_unsigned(out, (uptr)pointer, 16, spec);
}

static void put_conversion(struct byte_buf *out, struct conversion *conv, struct arguments *args)
{
	struct fmt_spec *spec = &conv->spec;
	char c;

	take_counts(conv, args);
	switch (conv->kind) {
	case 'd':
	case 'i': put_signed(out, take_signed(conv->length, args), spec); break;
	case 'u':
		spec->alternate = false; /* means nothing for decimal */
		put_unsigned(out, take_unsigned(conv->length, args), 10, spec);
		break;
	case 'o': put_unsigned(out, take_unsigned(conv->length, args), 8, spec); break;
	case 'X': spec->upper = true; /* fall through */
	case 'x': put_unsigned(out, take_unsigned(conv->length, args), 16, spec); break;
	case 'p': put_pointer(out, va_arg(args->list, const void *), spec); break;
	case 's': put_cstr(out, va_arg(args->list, const char *), spec); break;
	case 'c':
		c = (char)va_arg(args->list, int);
		put_str(out, (struct str){ &c, 1 }, spec);
		break;
	default: byte_buf_append_byte(out, '%'); break;
	}
}

/* Formats the conversion that begins at `p`, a '%'; returns where the text goes on. */
static const char *format_conversion(struct byte_buf *out, const char *p, struct arguments *args)
{
	struct conversion conv;
	const char *end = parse_conversion(p + 1, &conv);

	if (is_known(&conv))
		put_conversion(out, &conv, args);
	else
		byte_buf_append_str(out, (struct str){ p, (size_t)(end - p) });
	return end;
}

static inline bool ends_literal(char c)
{
	return c == '%' || c == '\0';
}

/*
 * Appends literal text up to a '%' or the NUL; returns where it stopped. Most of a format is
 * text, so it is searched and copied in one pass, 4 bytes a round while there is room.
 */
static const char *put_literal(struct byte_buf *out, const char *p)
{
	u8 *to = out->data + out->len;
	size_t room = byte_buf_room(out);

	while (room >= 4) {
		char c[4]; /* each read once, and only after the one before was no end */

		if (ends_literal(c[0] = p[0]) || ends_literal(c[1] = p[1]) ||
		    ends_literal(c[2] = p[2]) || ends_literal(c[3] = p[3]))
			break;
		to[0] = (u8)c[0];
		to[1] = (u8)c[1];
		to[2] = (u8)c[2];
		to[3] = (u8)c[3];
		to += 4;
		p += 4;
		room -= 4;
	}
	out->len = out->cap - room;
	for (; !ends_literal(*p); p++)
		byte_buf_append_byte(out, (u8)*p);
	return p;
}

size_t fmt_v(struct byte_buf *out, const char *format, va_list list)
{
	size_t before = out->len + out->truncated;
	const char *p = format;
	struct arguments args;

	va_copy(args.list, list);
	while (*p != '\0') {
		p = put_literal(out, p);
		if (*p == '%')
			p = format_conversion(out, p, &args);
	}
	va_end(args.list);
	return out->len + out->truncated - before;
}

size_t fmt(struct byte_buf *out, const char *format, ...)
{
	va_list args;
	size_t wanted;

	va_start(args, format);
	wanted = fmt_v(out, format, args);
	va_end(args);
	return wanted;
}
