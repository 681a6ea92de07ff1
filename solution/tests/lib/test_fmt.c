/*
 * test_fmt.c - criteria for fmt.h, by C11 section 7.21.6.1. The host tests compare with snprintf as
 * well; here are the cases that a person would think of.
 */
#include <mazu/bytes.h>
#include <mazu/fmt.h>
#include <mazu/selftest.h>

#define CHECK_FMT(t, expected, ...)                                                                \
	do {                                                                                       \
		char room_[160];                                                                   \
		struct byte_buf out_ = BYTE_BUF(room_);                                            \
		size_t wanted_ = fmt(&out_, __VA_ARGS__);                                          \
		CHECK_STR_EQ(t, byte_buf_to_str(&out_), STR(expected));                            \
		CHECK_EQ(t, wanted_, sizeof(expected) - 1);                                        \
	} while (0)

/* For formats that a compiler would refuse. */
static const char *unchecked(const char *format)
{
	__asm__("" : "+r"(format));
	return format;
}

SELFTEST(fmt_signed, "signed numbers print at both ends of every length")
{
	CHECK_FMT(t, "0 7 -7", "%d %i %d", 0, 7, -7);
	CHECK_FMT(t, "-2147483648", "%d", INT_MIN);
	CHECK_FMT(t, "-9223372036854775808", "%ld", LONG_MIN);
	CHECK_FMT(t, "9223372036854775807", "%lld", LLONG_MAX);
	CHECK_FMT(t, "-1 -1", "%hhd %hd", (signed char)-1, (short)-1);
}

SELFTEST(fmt_unsigned, "unsigned numbers print in three bases at every length")
{
	CHECK_FMT(t, "18446744073709551615", "%lu", UINT64_MAX);
	CHECK_FMT(t, "ffffffffffffffff FFFF ff", "%lx %hX %hhx", UINT64_MAX, (u16)0xffff, (u8)0xff);
	CHECK_FMT(t, "1777777777777777777777", "%lo", UINT64_MAX);
	CHECK_FMT(t, "42 43", "%zu %td", (size_t)42, (ptrdiff_t)43);
}

SELFTEST(fmt_flags, "flags place the sign, the prefix, blanks and zeros as the standard says")
{
	CHECK_FMT(t, "[   42][42   ][00042]", "[%5d][%-5d][%05d]", 42, 42, 42);
	CHECK_FMT(t, "[+42][ 42][-0042]", "[%+d][% d][%05d]", 42, 42, -42);
	CHECK_FMT(t, "[0x2a][0X2A][052][0]", "[%#x][%#X][%#o][%#x]", 42, 42, 42, 0);
	CHECK_FMT(t, "[0x00002a][  0x2a]", "[%#08x][%#6x]", 42, 42);
}

SELFTEST(fmt_precision, "a precision counts digits, overrides the zero flag, and makes 0 vanish")
{
	CHECK_FMT(t, "[  007][007  ][ -007]", "[%5.3d][%-5.3d][%5.3d]", 7, 7, -7);
	CHECK_FMT(t, "[  0x007]", "[%#7.3x]", 7);
	CHECK_FMT(t, "[][  ][0]", "[%.0d][%2.0d][%#.0o]", 0, 0, 0);
	CHECK_FMT(t, "[0007][1]", "[%.*d][%.*d]", 4, 7, -3, 1);
	CHECK_FMT(t, "[0007]", "[%#.4o]", 7);
}

SELFTEST(fmt_text, "text honours width and precision, and is not read beyond its precision")
{
	const char open_ended[3] = { 'a', 'b', 'c' };

	CHECK_FMT(t, "[abc][  abc][abc  ][ab]", "[%s][%5s][%-5s][%.2s]", "abc", "abc", "abc",
		  "abc");
	CHECK_FMT(t, "abc", "%.*s", STR_ARG(((struct str){ open_ended, 3 })));
	CHECK_FMT(t, "", unchecked("%.*s"), STR_ARG(((struct str){ NULL, 0 })));
	CHECK_FMT(t, "(null)", unchecked("%s"), (const char *)NULL);
	CHECK_FMT(t, "[x][  x][x  ]", "[%c][%3c][%-3c]", 'x', 'x', 'x');
	CHECK_FMT(t, "100%", "%d%%", 100);
}

SELFTEST(fmt_pointers, "pointers print in hexadecimal, and none as (nil)")
{
	CHECK_FMT(t, "0x80200000", "%p", (void *)0x80200000);
	CHECK_FMT(t, "[(nil)]", "[%p]", (void *)NULL);
}

SELFTEST(fmt_stars, "a negative width means left, at the extreme too, and counts never overflow")
{
	char room[8];
	struct byte_buf out = BYTE_BUF(room);

	CHECK_FMT(t, "[7   ][   7]", "[%*d][%*d]", -4, 7, 4, 7);
	CHECK_EQ(t, fmt(&out, unchecked("%*d"), INT_MIN, 1), INT_MAX);
	byte_buf_reset(&out);
	CHECK_EQ(t, fmt(&out, unchecked("%+.*d"), INT_MAX, 1), (size_t)INT_MAX + 1);
	byte_buf_reset(&out);
	CHECK_EQ(t, fmt(&out, unchecked("%99999999999d"), 1), INT_MAX);
	CHECK_EQ(t, out.len, sizeof(room));
}

SELFTEST(fmt_unknown, "an unknown conversion is copied as it stands and takes no argument")
{
	CHECK_FMT(t, "%y 7", unchecked("%y %d"), 7);
	CHECK_FMT(t, "%-*.*ly 7", unchecked("%-*.*ly %d"), 7);
	CHECK_FMT(t, "%ls 7", unchecked("%ls %d"), 7);
	CHECK_FMT(t, "%n", unchecked("%n"), 0);
	CHECK_FMT(t, "50%", unchecked("50%"), 0);
	CHECK_FMT(t, "%-08.3l", unchecked("%-08.3l"), 0);
}

SELFTEST(fmt_truncated, "output stops at the capacity and the full length is still returned")
{
	char room[6] = "-----";
	struct byte_buf out = { (u8 *)room, 0, 5, 0 };

	CHECK_EQ(t, fmt(&out, "%d-%s", 1234, "xyz"), 8);
	CHECK_STR_EQ(t, byte_buf_to_str(&out), STR("1234-"));
	CHECK_EQ(t, out.truncated, 3);
	CHECK_EQ(t, room[5], '\0');
	CHECK_EQ(t, fmt(&out, "more"), 4);
	CHECK_EQ(t, out.truncated, 7);
}
