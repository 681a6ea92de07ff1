/*
 * str.h - text with a length.
 *
 * A `struct str` is a read-only window on bytes that somebody else owns. It is not terminated,
 * is passed by value, and may be cut down without touching what it points to; that is why
 * there is no copy function. An empty string has length 0, and its data pointer means nothing.
 *
 * Text comes in from C conventions at one place only, str_from_cstr_bounded(), and goes out
 * through one format, "%.*s" with STR_ARG().
 *
 * All functions are pure: no state, any context.
 */
#ifndef MAZU_STR_H
#define MAZU_STR_H

#include <mazu/error.h>
#include <mazu/types.h>

struct str {
	const char *data;
	size_t len;
};

RESULT_TYPE(str, struct str);

/* A string literal, and only a literal, as a struct str; its own NUL is not counted. */
#define STR(literal) ((struct str){ "" literal, sizeof(literal) - 1 })

/* The two arguments that "%.*s" takes. `s` is evaluated twice. */
#define STR_ARG(s) str_precision(s), (s).data

/* A length as the int that a format's precision is; a negative one would mean "no limit". */
static inline int str_precision(struct str s)
{
	return s.len > INT_MAX ? INT_MAX : (int)s.len;
}

static inline bool str_is_empty(struct str s)
{
	return s.len == 0;
}

/* The bytes of a C string up to its NUL, or up to `max` bytes where there is none. NULL: empty. */
struct str str_from_cstr_bounded(const char *text, size_t max);

bool str_eq(struct str a, struct str b);
bool str_starts_with(struct str s, struct str prefix);

/* Where `c` first occurs: its index, or ERR_NOENT. */
struct result_sz __must_check str_find_char(struct str s, char c);

/* `s` from byte `start` on; empty when start lies beyond its end. */
struct str str_skip(struct str s, size_t start);

/* `s` without the blanks (space, tab, CR, LF) at either end. */
struct str str_trim(struct str s);

/* Takes the next blank-separated word off the front of *rest. Empty when no word is left. */
struct str str_split_word(struct str *rest);

/*
 * A whole number in decimal, or in hexadecimal after 0x or 0X. The whole string must be digits:
 * ERR_INVAL for anything else (signs, blanks and the empty string too), ERR_RANGE above 2^64-1.
 */
struct result_u64 __must_check str_to_u64(struct str s);

/*
 * Whether all of `text` matches `pattern`, in which * stands for any run of bytes and ? for any
 * single byte. There is no escape. At most pattern.len * (text.len + 1) steps.
 */
bool str_matches(struct str pattern, struct str text);

#endif
