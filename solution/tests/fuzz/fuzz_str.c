/*
 * fuzz_str.c - the input is text and a pattern. Words are inside the text and hold no blanks;
 * a number read is the number written; the glob matcher agrees with a recursive one.
 */
#include "fuzz.h"

#include <mazu/bytes.h>
#include <mazu/fmt.h>
#include <mazu/str.h>

/* The definition of a match, word for word; exponential, so for short inputs only. */
static bool matches(struct str pattern, struct str text)
{
	if (str_is_empty(pattern))
		return str_is_empty(text);
	if (pattern.data[0] == '*')
		return matches(str_skip(pattern, 1), text) ||
		       (!str_is_empty(text) && matches(pattern, str_skip(text, 1)));
	return !str_is_empty(text) && (pattern.data[0] == '?' || pattern.data[0] == text.data[0]) &&
	       matches(str_skip(pattern, 1), str_skip(text, 1));
}

static void check_words(struct str text)
{
	struct str rest = text;
	struct str word = str_split_word(&rest);

	while (!str_is_empty(word)) {
		MUST(word.data >= text.data && word.data + word.len <= text.data + text.len);
		MUST(str_eq(str_trim(word), word) && str_find_char(word, ' ').err);
		word = str_split_word(&rest);
	}
	MUST(str_is_empty(str_trim(rest)));
}

static void check_number(struct str text)
{
	struct result_u64 number = str_to_u64(text);
	char room[24];
	struct byte_buf out = BYTE_BUF(room);

	if (number.err)
		return;
	fmt(&out, "%lu", number.value);
	MUST(str_to_u64(byte_buf_to_str(&out)).value == number.value);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct str text = { (const char *)data, size };
	size_t split = size > 0 ? MIN((size_t)data[0] % 16, size) : 0;
	struct str pattern = { text.data, split };
	struct str subject = str_skip(text, split);

	check_words(text);
	check_number(text);
	subject.len = MIN(subject.len, (size_t)16);
	MUST(str_matches(pattern, subject) == matches(pattern, subject));
	return 0;
}
