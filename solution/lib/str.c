/*
 * str.c - text with a length: comparing, cutting and reading it.
 *
 * Every function looks at s.data[0 .. s.len) and at nothing else; none relies on a NUL. A
 * NULL pointer is fine as long as the length is 0.
 *
 * Left out: copying and joining (struct byte_buf does that), case folding, anything that knows
 * of languages. Bytes above 127 are bytes like any other.
 */
#include <mazu/str.h>

struct str str_from_cstr_bounded(const char *text, size_t max)
{
	size_t len = 0;

	while (text && len < max && text[len] != '\0')
		len++;
	return (struct str){ text, len };
}

bool str_eq(struct str a, struct str b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++) {
		if (a.data[i] != b.data[i])
			return false;
	}
	return true;
}

bool str_starts_with(struct str s, struct str prefix)
{
	return s.len >= prefix.len && str_eq((struct str){ s.data, prefix.len }, prefix);
}

struct result_sz str_find_char(struct str s, char c)
{
	for (size_t i = 0; i < s.len; i++) {
		if (s.data[i] == c)
			return result_sz_ok(i);
	}
	return result_sz_err(ERR_NOENT);
}

struct str str_skip(struct str s, size_t start)
{
	if (start >= s.len)
		return (struct str){ s.data, 0 };
	return (struct str){ s.data + start, s.len - start };
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct str trim_front(struct str s)
{
	size_t blanks = 0;

	while (blanks < s.len && is_blank(s.data[blanks]))
		blanks++;
	return str_skip(s, blanks);
}

struct str str_trim(struct str s)
{
	s = trim_front(s);
	while (s.len > 0 && is_blank(s.data[s.len - 1]))
		s.len--;
	return s;
}

struct str str_split_word(struct str *rest)
{
	struct str word = trim_front(*rest);
	size_t len = 0;

	while (len < word.len && !is_blank(word.data[len]))
		len++;
	*rest = str_skip(word, len);
	word.len = len;
	return word;
}

/* The value of a digit; 255, which no base reaches, for anything else. */
static u8 digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return (u8)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (u8)(c - 'a' + 10);
	if (c >= 'A' && c <= 'F')
		return (u8)(c - 'A' + 10);
	return 255;
}

struct result_u64 str_to_u64(struct str s)
{
	bool hex = str_starts_with(s, STR("0x")) || str_starts_with(s, STR("0X"));
	u64 base = hex ? 16 : 10;
	u64 value = 0;
	bool overflow = false;

	if (hex)
		s = str_skip(s, 2);
	if (str_is_empty(s))
		return result_u64_err(ERR_INVAL);
	for (size_t i = 0; i < s.len; i++) {
		u8 digit = digit_value(s.data[i]);

		if (digit >= base)
			return result_u64_err(ERR_INVAL);
		overflow |= __builtin_mul_overflow(value, base, &value);
		overflow |= __builtin_add_overflow(value, (u64)digit, &value);
	}
	return overflow ? result_u64_err(ERR_RANGE) : result_u64_ok(value);
}

/*
 * Only the last star ever needs a second try: whatever an earlier one could match, it can
 * match with the shortest run, because the later star takes up the rest. So one place to go
 * back to is enough, and there is no recursion.
 */
bool str_matches(struct str pattern, struct str text)
{
	size_t p = 0, t = 0;
	size_t after_star = 0, retry = 0; /* after_star 0: no star so far */

	while (t < text.len) {
		if (p < pattern.len && pattern.data[p] == '*') {
			after_star = ++p;
			retry = t;
		} else if (p < pattern.len &&
			   (pattern.data[p] == '?' || pattern.data[p] == text.data[t])) {
			p++;
			t++;
		} else if (after_star != 0) {
			p = after_star;
			t = ++retry;
		} else {
			return false;
		}
	}
	while (p < pattern.len && pattern.data[p] == '*')
		p++;
	return p == pattern.len;
}
