/* test_lineedit.c - criteria for lineedit.h: keys, limits, history, and bytes that make no sense. */
#include <mazu/lineedit.h>
#include <mazu/selftest.h>

static struct lineedit ed;
static char echo_room[LINEEDIT_ECHO_MAX + 16];
static struct byte_buf echo;

/* Feeds a string; returns the last event. */
static enum lineedit_event type(struct str keys)
{
	enum lineedit_event event = LINEEDIT_NONE;

	for (size_t i = 0; i < keys.len; i++) {
		byte_buf_reset(&echo);
		event = lineedit_feed(&ed, (u8)keys.data[i], &echo);
	}
	return event;
}

static void begin(void)
{
	echo = BYTE_BUF(echo_room);
	lineedit_init(&ed, STR("> "));
	lineedit_start(&ed, &echo);
}

/* What the line is after typing `keys` into a fresh editor, cursor and rest split by '|'. */
static bool gives(struct str keys, struct str before, struct str line)
{
	begin();
	type(keys);
	return str_eq(lineedit_before_cursor(&ed), before) && str_eq(lineedit_line(&ed), line);
}

#define GIVES(t, keys, before, after) CHECK(t, gives(STR(keys), STR(before), STR(before after)))

SELFTEST(lineedit_move, "the cursor moves by code point and stops at both ends")
{
	GIVES(t, "abc\x01", "", "abc");
	GIVES(t, "abc\x01\x06", "a", "bc");
	GIVES(t, "abc\x02\x02X", "aX", "bc");
	GIVES(t, "abc\x01\x05", "abc", "");
	GIVES(t, "ab\x1b[D\x1b[D\x1b[D", "", "ab");
	GIVES(t, "ab\x1b[D\x1b[C\x1b[C", "ab", "");
	GIVES(t, "ab\x1bOD", "a", "b");
	GIVES(t, "ab\x1b[H\x1b[F", "ab", "");
	GIVES(t, "ab\x1b[1~", "", "ab");
	GIVES(t, "ab\x1b[1~\x1b[4~", "ab", "");
	GIVES(t, "a\xc3\xa9\xe2\x82\xac\x02\x02", "a", "\xc3\xa9\xe2\x82\xac");
	GIVES(t, "a\xc3\xa9z\x02\x02\x06", "a\xc3\xa9", "z");
}

SELFTEST(lineedit_erase, "keys that erase take what they say, whole code points at a time")
{
	GIVES(t, "abc\x7f", "ab", "");
	GIVES(t, "abc\x08\x08\x08\x08", "", "");
	GIVES(t, "a\xe2\x82\xac\x7f", "a", "");
	GIVES(t, "abc\x01\x1b[3~", "", "bc");
	GIVES(t, "abc\x01\x04", "", "bc");
	GIVES(t, "abc\x02\x0b", "ab", "");
	GIVES(t, "abc\x02\x15", "", "c");
	GIVES(t, "one two  \x17", "one ", "");
	GIVES(t, "one two\x02\x17", "one ", "o");
}

SELFTEST(lineedit_end, "CR, LF and CR LF each end exactly one line")
{
	begin();
	CHECK_EQ(t, type(STR("a\r")), LINEEDIT_LINE);
	CHECK_STR_EQ(t, lineedit_line(&ed), STR("a"));
	CHECK_STR_EQ(t, byte_buf_to_str(&echo), STR("\r\n"));
	CHECK_EQ(t, type(STR("\n")), LINEEDIT_NONE);
	CHECK_STR_EQ(t, lineedit_line(&ed), STR("a"));
	CHECK_EQ(t, type(STR("\n")), LINEEDIT_LINE);
	CHECK_EQ(t, lineedit_line(&ed).len, 0);
	CHECK_EQ(t, type(STR("b\r")), LINEEDIT_LINE);
	CHECK_EQ(t, type(STR("\r")), LINEEDIT_LINE);
}

SELFTEST(lineedit_events, "^C, ^D on an empty line and Tab are reported; ^D elsewhere erases")
{
	begin();
	CHECK_EQ(t, type(STR("ab\x03")), LINEEDIT_INTERRUPT);
	CHECK_EQ(t, type(STR("c\t")), LINEEDIT_COMPLETE);
	CHECK_STR_EQ(t, lineedit_line(&ed), STR("c"));
	CHECK_EQ(t, type(STR("\x04")), LINEEDIT_NONE);
	CHECK_EQ(t, type(STR("\x7f\x04")), LINEEDIT_EOF);
}

SELFTEST(lineedit_full,
	 "a full line rings the bell, keeps what it has, and never splits a code point")
{
	begin();
	for (int i = 0; i < LINEEDIT_LINE_MAX - 1; i++)
		type(STR("x"));
	type(STR("\xc3\xa9"));
	CHECK_EQ(t, lineedit_line(&ed).len, LINEEDIT_LINE_MAX - 1);
	CHECK_STR_EQ(t, byte_buf_to_str(&echo), STR("\a"));
	type(STR("yz"));
	CHECK_EQ(t, lineedit_line(&ed).len, LINEEDIT_LINE_MAX);
	CHECK_STR_EQ(t, byte_buf_to_str(&echo), STR("\a"));
	CHECK_EQ(t, type(STR("\n")), LINEEDIT_LINE);
}

SELFTEST(lineedit_history, "history goes back and forth, ends at the draft, and skips repeats")
{
	begin();
	type(STR("one\ntwo\ntwo\n \ndraft"));
	type(STR("\x1b[A"));
	CHECK_STR_EQ(t, lineedit_line(&ed), STR("two"));
	type(STR("\x10\x10\x10"));
	CHECK_STR_EQ(t, lineedit_line(&ed), STR("one"));
	type(STR("\x1b[B"));
	CHECK_STR_EQ(t, lineedit_line(&ed), STR("two"));
	type(STR("\x0e\x0e"));
	CHECK_STR_EQ(t, lineedit_line(&ed), STR("draft"));
}

SELFTEST(lineedit_history_bound, "the oldest lines fall out of a full history")
{
	begin();
	for (char c = 'a'; c < 'a' + LINEEDIT_HISTORY + 3; c++) {
		type((struct str){ &c, 1 });
		type(STR("\r"));
	}
	for (int i = 0; i < LINEEDIT_HISTORY + 5; i++)
		type(STR("\x10"));
	CHECK_STR_EQ(t, lineedit_line(&ed), STR("d"));
}

SELFTEST(lineedit_sequences, "no escape sequence or stray byte leaves a trace or holds the editor")
{
	GIVES(t, "a\x1b[12;34;56Zb", "ab", "");
	GIVES(t, "a\x1b[999999999999999999999~b", "ab", "");
	GIVES(t, "ab\x1b[65~c", "abc", "");
	GIVES(t, "ab\x1b[1;5Dc", "ac", "b");
	GIVES(t, "a\x1bqb", "ab", "");
	GIVES(t, "a\x1b\x1b[Db", "b", "a");
	GIVES(t, "a\x1b[12\x01z", "z", "a");
	GIVES(t, "a\x80\xff\xc3z\xe2\x82z", "azz", "");
	begin();
	CHECK_EQ(t, type(STR("a\x1b[0;0;0\r")), LINEEDIT_LINE);
	CHECK_STR_EQ(t, lineedit_line(&ed), STR("a"));
}

SELFTEST(lineedit_echo,
	 "typing at the end echoes the byte alone; elsewhere the rest is drawn again")
{
	begin();
	CHECK_STR_EQ(t, byte_buf_to_str(&echo), STR("> "));
	type(STR("a"));
	CHECK_STR_EQ(t, byte_buf_to_str(&echo), STR("a"));
	type(STR("b\x02"
		 "c"));
	CHECK_STR_EQ(t, byte_buf_to_str(&echo), STR("cb\x1b[K\x1b[1D"));
	byte_buf_reset(&echo);
	lineedit_redraw(&ed, &echo);
	CHECK_STR_EQ(t, byte_buf_to_str(&echo), STR("\r> acb\x1b[K\x1b[1D"));
}

SELFTEST(lineedit_completion, "text can be inserted at the cursor whole, or not at all")
{
	begin();
	type(STR("sh x\x02\x02"));
	CHECK(t, lineedit_insert(&ed, STR("utdown"), &echo));
	CHECK_STR_EQ(t, lineedit_line(&ed), STR("shutdown x"));
	CHECK_STR_EQ(t, lineedit_before_cursor(&ed), STR("shutdown"));
	CHECK(t, !lineedit_insert(&ed, STR("a\nb"), &echo));
	CHECK(t, !lineedit_insert(&ed, STR("\xc3"), &echo));
	CHECK(t, !lineedit_insert(&ed, STR("\xa9"), &echo));
	CHECK_STR_EQ(t, lineedit_line(&ed), STR("shutdown x"));
}
