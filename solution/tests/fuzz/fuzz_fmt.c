/*
 * fuzz_fmt.c - the input is a buffer's capacity, a value, and a format. The arguments are all the
 * same 64-bit value, except that a format with %s gets strings: so every conversion finds an
 * argument of its size. Whatever the format: the length returned is that of the whole text, a short
 * buffer holds its beginning, and nothing is written beyond.
 */
#include "fuzz.h"

#include <mazu/bytes.h>
#include <mazu/fmt.h>
#include <mazu/mem.h>
#include <mazu/str.h>

#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-security"

#define FORMAT_MAX 48
#define CANARY 0x5a

static size_t format(struct byte_buf *out, const char *text, u64 value)
{
	/* At most one argument a letter and two stars; each conversion has two bytes or more. */
#define EIGHT(x) x, x, x, x, x, x, x, x
	if (str_find_char(str_from_cstr_bounded(text, FORMAT_MAX), 's').err)
		return fmt(out, text, EIGHT(value), EIGHT(value), EIGHT(value), EIGHT(value),
			   EIGHT(value), EIGHT(value), EIGHT(value), EIGHT(value));
	/* With strings about, a star would take a pointer for a count: that is fine, too. */
	return fmt(out, text, EIGHT("text"), EIGHT("text"), EIGHT("text"), EIGHT("text"),
		   EIGHT("text"), EIGHT("text"), EIGHT("text"), EIGHT("text"));
}

static void check_specification(const u8 *data, u64 value)
{
	struct fmt_spec spec = {
		.base = (const u8[]){ 8, 10, 16 }[data[0] % 3],
		.left = data[1] & 1,
		.zero = data[1] & 2,
		.plus = data[1] & 4,
		.space = data[1] & 8,
		.alternate = data[1] & 16,
		.upper = data[1] & 32,
		.width = data[2],
		.precision = (int)data[3] - 1,
	};
	char room[600];
	struct byte_buf out = BYTE_BUF(room);

	fmt_number(&out, value, data[1] & 64, &spec);
	MUST(out.truncated == 0);
	MUST(out.len >= (size_t)spec.width &&
	     (spec.precision < 0 || (int)out.len >= spec.precision));
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	char text[FORMAT_MAX + 1] = "";
	u8 whole_room[2048], part_room[256];
	struct byte_buf whole = BYTE_BUF(whole_room);
	struct byte_buf part = { part_room, 0, 0, 0 };
	u64 value;

	if (size < 9)
		return 0;
	part.cap = data[0] % 128;
	memcpy(&value, data + 1, sizeof(value));
	memcpy(text, data + 9, MIN(size - 9, (size_t)FORMAT_MAX));
	check_specification(data, value);

	memset(part_room, CANARY, sizeof(part_room));
	size_t wanted = format(&whole, text, value);
	MUST(wanted == whole.len + whole.truncated && whole.len <= whole.cap);
	MUST(format(&part, text, value) == wanted);
	MUST(part.len == MIN(wanted, part.cap) && part.truncated == wanted - part.len);
	MUST(memcmp(part_room, whole_room, part.len) == 0);
	for (size_t i = part.cap; i < sizeof(part_room); i++)
		MUST(part_room[i] == CANARY);
	return 0;
}
