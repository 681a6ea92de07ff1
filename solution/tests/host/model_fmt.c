/*
 * model_fmt.c - fmt against the libc's snprintf: many random conversions and values.
 *
 * Only what the standard defines is asked, because beyond it the two may differ. The values
 * are drawn by size first, so that small ones and the ends of the range are all common.
 */
#include "random.h"

#include <mazu/bytes.h>
#include <mazu/fmt.h>
#include <mazu/selftest.h>

#include <stdio.h>

#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-security"

static u64 random_value(u64 *seed)
{
	u64 value = random_u64(seed) >> random_below(seed, 64);

	switch (random_below(seed, 8)) {
	case 0: return 0;
	case 1: return -value;
	case 2: return (u64)1 << 63;
	case 3: return UINT64_MAX;
	default: return value;
	}
}

/* A random specification for `kind`, with flags from `flags`. */
static void random_format(u64 *seed, char *format, size_t size, const char *flags,
			  const char *length, char kind)
{
	size_t at = (size_t)snprintf(format, size, "<%%");

	for (const char *flag = flags; *flag; flag++) {
		if (random_below(seed, 3) == 0)
			format[at++] = *flag;
	}
	if (random_below(seed, 2))
		at += (size_t)snprintf(format + at, size - at, "%u", 1 + random_below(seed, 30));
	if (kind != 'c' && kind != 'p' && random_below(seed, 3) == 0)
		at += (size_t)snprintf(format + at, size - at, ".%u", random_below(seed, 30));
	snprintf(format + at, size - at, "%s%c>", length, kind);
}

/* Formats one argument (it is evaluated twice) both ways, ours into a buffer that may be too short. */
#define COMPARE(t, format, cap, argument)                                                          \
	do {                                                                                       \
		char libc_[128], ours_[128];                                                       \
		struct byte_buf out_ = { (u8 *)ours_, 0, (cap), 0 };                               \
		int wanted_ = snprintf(libc_, sizeof(libc_), (format), (argument));                \
		size_t len_ = MIN((size_t)wanted_, (size_t)(cap));                                 \
		CHECK_EQ(t, fmt(&out_, (format), (argument)), wanted_);                            \
		CHECK_EQ(t, out_.truncated, (size_t)wanted_ - len_);                               \
		if (!CHECK_STR_EQ(t, byte_buf_to_str(&out_), ((struct str){ libc_, len_ })))       \
			printf("# format %s\n", (format));                                         \
	} while (0)

static void compare_integer(struct selftest *t, u64 *seed, const char *format, const char *length,
			    size_t cap)
{
	u64 value = random_value(seed);

	if (length[0] == 'l' || length[0] == 'z' || length[0] == 't')
		COMPARE(t, format, cap, value);
	else
		COMPARE(t, format, cap, (unsigned int)value);
}

SELFTEST(model_fmt_integers, "100000 random integer conversions come out as the libc's do")
{
	static const char *const lengths[] = { "", "hh", "h", "l", "ll", "z", "t" };
	static const char kinds[] = "diuxXo";
	u64 seed = 1;

	for (int i = 0; i < 100000; i++) {
		const char *length = lengths[random_below(&seed, ARRAY_SIZE(lengths))];
		char kind = kinds[random_below(&seed, 6)];
		const char *flags = kind == 'd' || kind == 'i' ? "-0+ "
				    : kind == 'u'	       ? "-0"
							       : "-0#";
		size_t cap = random_below(&seed, 4) == 0 ? random_below(&seed, 40) : 128;
		char format[32];

		random_format(&seed, format, sizeof(format), flags, length, kind);
		compare_integer(t, &seed, format, length, cap);
	}
}

SELFTEST(model_fmt_text, "30000 random conversions of text and pointers come out as the libc's do")
{
	static const char *const texts[] = { "", "a", "mazu", "a longer piece of text" };
	u64 seed = 2;

	for (int i = 0; i < 10000; i++) {
		const char *text = texts[random_below(&seed, 4)];
		int letter = (int)('a' + random_below(&seed, 26));
		void *pointer = (void *)(uptr)random_value(&seed);
		char format[32];

		random_format(&seed, format, sizeof(format), "-", "", 's');
		COMPARE(t, format, 128, text);
		random_format(&seed, format, sizeof(format), "-", "", 'c');
		COMPARE(t, format, 128, letter);
		random_format(&seed, format, sizeof(format), "-", "", 'p');
		COMPARE(t, format, 128, pointer);
	}
}
