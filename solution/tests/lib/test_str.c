/* test_str.c - criteria for str.h, bytes.h and error.h. */
#include <mazu/bytes.h>
#include <mazu/error.h>
#include <mazu/selftest.h>
#include <mazu/str.h>

SELFTEST(str_compare, "equality and prefixes look at lengths and bytes, never beyond")
{
	CHECK(t, str_eq(STR("abc"), STR("abc")));
	CHECK(t, !str_eq(STR("abc"), STR("abd")));
	CHECK(t, !str_eq(STR("abc"), STR("ab")));
	CHECK(t, str_eq((struct str){ NULL, 0 }, STR("")));
	CHECK(t, str_starts_with(STR("abc"), STR("ab")));
	CHECK(t, str_starts_with(STR("abc"), STR("")));
	CHECK(t, !str_starts_with(STR("ab"), STR("abc")));
}

SELFTEST(str_from_c, "a C string ends at its NUL or at the bound, whichever is first")
{
	const char open_ended[3] = { 'x', 'y', 'z' };

	CHECK_STR_EQ(t, str_from_cstr_bounded("ab", 10), STR("ab"));
	CHECK_STR_EQ(t, str_from_cstr_bounded(open_ended, 3), STR("xyz"));
	CHECK_EQ(t, str_from_cstr_bounded(NULL, 10).len, 0);
}

SELFTEST(str_cut, "find, skip, trim and split return windows of the same bytes")
{
	struct str rest = STR("  set\tx  y ");

	CHECK_EQ(t, str_find_char(STR("a.b.c"), '.').value, 1);
	CHECK_EQ(t, str_find_char(STR("abc"), '.').err, ERR_NOENT);
	CHECK_STR_EQ(t, str_skip(STR("abc"), 1), STR("bc"));
	CHECK_EQ(t, str_skip(STR("abc"), SIZE_MAX).len, 0);
	CHECK_STR_EQ(t, str_trim(STR(" \t a b\r\n")), STR("a b"));
	CHECK_EQ(t, str_trim(STR(" \t ")).len, 0);
	CHECK_STR_EQ(t, str_split_word(&rest), STR("set"));
	CHECK_STR_EQ(t, str_split_word(&rest), STR("x"));
	CHECK_STR_EQ(t, str_split_word(&rest), STR("y"));
	CHECK_EQ(t, str_split_word(&rest).len, 0);
	CHECK_EQ(t, str_split_word(&rest).len, 0);
}

SELFTEST(str_numbers, "a number is all digits, and one too big is told from one malformed")
{
	CHECK_EQ(t, str_to_u64(STR("0")).value, 0);
	CHECK_EQ(t, str_to_u64(STR("007")).value, 7);
	CHECK_EQ(t, str_to_u64(STR("18446744073709551615")).value, UINT64_MAX);
	CHECK_EQ(t, str_to_u64(STR("18446744073709551616")).err, ERR_RANGE);
	CHECK_EQ(t, str_to_u64(STR("99999999999999999999999")).err, ERR_RANGE);
	CHECK_EQ(t, str_to_u64(STR("0xFfffFFFFffffffff")).value, UINT64_MAX);
	CHECK_EQ(t, str_to_u64(STR("0x10000000000000000")).err, ERR_RANGE);
	CHECK_EQ(t, str_to_u64(STR("")).err, ERR_INVAL);
	CHECK_EQ(t, str_to_u64(STR("0x")).err, ERR_INVAL);
	CHECK_EQ(t, str_to_u64(STR("-1")).err, ERR_INVAL);
	CHECK_EQ(t, str_to_u64(STR("1 ")).err, ERR_INVAL);
	CHECK_EQ(t, str_to_u64(STR("12a")).err, ERR_INVAL);
	CHECK_EQ(t, str_to_u64(STR("99999999999999999999999z")).err, ERR_INVAL);
}

SELFTEST(str_glob, "a pattern covers the whole text; stars match any run, also none")
{
	CHECK(t, str_matches(STR("*"), STR("")));
	CHECK(t, str_matches(STR("fdt_*"), STR("fdt_open")));
	CHECK(t, str_matches(STR("*open"), STR("fdt_open")));
	CHECK(t, str_matches(STR("f?t*n"), STR("fdt_open")));
	CHECK(t, str_matches(STR("*a*b*c"), STR("xaybzbc")));
	CHECK(t, str_matches(STR("**"), STR("x")));
	CHECK(t, !str_matches(STR(""), STR("x")));
	CHECK(t, !str_matches(STR("fdt"), STR("fdt_open")));
	CHECK(t, !str_matches(STR("?"), STR("")));
	CHECK(t, !str_matches(STR("*a*b"), STR("aab.")));
}

SELFTEST(bytes_append, "a buffer fills to its capacity and counts what it had to drop")
{
	char room[5];
	struct byte_buf buf = BYTE_BUF(room);

	byte_buf_append_str(&buf, STR("abc"));
	CHECK_EQ(t, buf.truncated, 0);
	byte_buf_append_str(&buf, STR("def"));
	CHECK_STR_EQ(t, byte_buf_to_str(&buf), STR("abcde"));
	byte_buf_append_byte(&buf, 'x');
	byte_buf_fill(&buf, 'y', 10);
	CHECK_EQ(t, buf.len, 5);
	CHECK_EQ(t, buf.truncated, 12);
	byte_buf_reset(&buf);
	byte_buf_append(&buf, (struct byte_view){ NULL, 0 });
	byte_buf_fill(&buf, 'z', 2);
	CHECK_STR_EQ(t, byte_buf_to_str(&buf), STR("zz"));
	CHECK_EQ(t, buf.truncated, 0);
}

SELFTEST(bytes_bounds, "no slice and no number reaches outside its view, whatever the offset")
{
	const u8 bytes[] = { 0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xf0, 0x55 };
	struct byte_view view = { bytes, sizeof(bytes) };

	CHECK_EQ(t, byte_view_be32(view, 5).value, 0xbcdef055);
	CHECK_EQ(t, byte_view_be32(view, 6).err, ERR_RANGE);
	CHECK_EQ(t, byte_view_be32(view, SIZE_MAX - 1).err, ERR_RANGE);
	CHECK_EQ(t, byte_view_be64(view, 1).value, 0x3456789abcdef055);
	CHECK_EQ(t, byte_view_be64(view, 2).err, ERR_RANGE);
	CHECK_EQ(t, byte_view_slice(view, 3, 6).value.len, 6);
	CHECK_EQ(t, byte_view_slice(view, 9, 0).err, OK);
	CHECK_EQ(t, byte_view_slice(view, 10, 0).err, ERR_RANGE);
	CHECK_EQ(t, byte_view_slice(view, 3, 7).err, ERR_RANGE);
	CHECK_EQ(t, byte_view_slice(view, 3, SIZE_MAX).err, ERR_RANGE);
}

SELFTEST(error_names, "every error has a name of its own, and no integer is out of bounds")
{
	for (int err = OK; err < ERR_COUNT; err++)
		CHECK(t, !str_eq(error_name((enum error)err), STR("unknown error")));
	CHECK_STR_EQ(t, error_name(ERR_COUNT), STR("unknown error"));
	CHECK_STR_EQ(t, error_name((enum error) - 1), STR("unknown error"));
}
