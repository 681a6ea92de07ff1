/*
 * The kernel log, on the running kernel's own: tests only ever add lines.
 */
#include <mazu/fmt.h>
#include <mazu/klog.h>
#include <mazu/selftest.h>

static u64 klog_end(struct klog_cursor *cursor)
{
	u8 bytes[PRINTK_LINE_MAX];
	struct byte_buf text = BYTE_BUF(bytes);
	struct klog_line line = { 0 };

	while (!klog_next(cursor, &line, &text))
		;
	return cursor->sequence;
}

SELFTEST(klog_keeps_first_line, "the very first line of the boot is still there")
{
	u8 bytes[PRINTK_LINE_MAX];
	struct byte_buf text = BYTE_BUF(bytes);
	struct klog_cursor cursor = { 0 };
	struct klog_line line;

	REQUIRE(t, klog_next(&cursor, &line, &text) == OK);
	CHECK_EQ(t, line.sequence, 0);
	CHECK(t, str_starts_with(line.text, STR("Mazu ")));
}

SELFTEST(klog_returns_what_was_written, "a line comes back with its level, time and text")
{
	u8 bytes[PRINTK_LINE_MAX];
	struct byte_buf text = BYTE_BUF(bytes);
	struct klog_cursor cursor = { 0 };
	struct klog_line line;

	klog_end(&cursor);
	klog_append(PRINTK_TRACE, 123456789, STR("nineteen bytes long"));
	REQUIRE(t, klog_next(&cursor, &line, &text) == OK);
	CHECK_STR_EQ(t, line.text, STR("nineteen bytes long"));
	CHECK_EQ(t, line.time_ns, 123456789);
	CHECK_EQ(t, line.level, PRINTK_TRACE);
	CHECK_EQ(t, klog_next(&cursor, &line, &text), ERR_NOENT);
}

SELFTEST(klog_every_length, "lines of every length up to the limit come back whole")
{
	u8 bytes[PRINTK_LINE_MAX];
	struct byte_buf text = BYTE_BUF(bytes);
	struct klog_cursor cursor = { 0 };
	struct klog_line line;
	char written[PRINTK_LINE_MAX + 8];

	for (size_t i = 0; i < sizeof(written); i++)
		written[i] = (char)('!' + i % 90);
	klog_end(&cursor);
	for (size_t len = 0; len <= sizeof(written); len++) {
		klog_append(PRINTK_TRACE, len, (struct str){ written, len });
		REQUIRE(t, klog_next(&cursor, &line, &text) == OK);
		CHECK_STR_EQ(t, line.text,
			     ((struct str){ written, MIN(len, (size_t)PRINTK_LINE_MAX) }));
	}
}

/* More lines than both rings hold. */
static u64 klog_fill(u64 first)
{
	u64 lines = (CONFIG_KLOG_EARLY_SIZE + CONFIG_KLOG_SIZE) / 16;
	u8 bytes[PRINTK_LINE_MAX];
	struct byte_buf text = BYTE_BUF(bytes);

	for (u64 i = first; i < first + lines; i++) {
		byte_buf_reset(&text);
		fmt(&text, "filler %lu", i);
		klog_append(PRINTK_TRACE, i, byte_buf_to_str(&text));
	}
	return first + lines;
}

SELFTEST(klog_overwrites_oldest, "a full ring gives up its oldest lines, in order and whole")
{
	u8 bytes[PRINTK_LINE_MAX], expected[PRINTK_LINE_MAX];
	struct byte_buf text = BYTE_BUF(bytes), want = BYTE_BUF(expected);
	struct klog_cursor cursor = { 0 };
	struct klog_line line = { 0 };
	u64 before = klog_fill(klog_end(&cursor));

	klog_end(&cursor);

	u64 end = klog_fill(before);

	REQUIRE(t, klog_next(&cursor, &line, &text) == OK);
	CHECK(t, line.sequence > before);
	for (u64 next = line.sequence; next < end; next++) {
		byte_buf_reset(&want);
		fmt(&want, "filler %lu", next);
		REQUIRE(t, CHECK_EQ(t, line.sequence, next) &&
				   CHECK_STR_EQ(t, line.text, byte_buf_to_str(&want)));
		CHECK_EQ(t, klog_next(&cursor, &line, &text), next + 1 < end ? OK : ERR_NOENT);
	}
}
