/*
 * fuzz_lineedit.c - the input is what a terminal sends. Whatever it sends: cursor and length stay in
 * bounds, the line is printable and made of whole code points, the echo fits its announced
 * size, and a line can still be typed and finished afterwards.
 */
#include "fuzz.h"

#include <mazu/lineedit.h>

static struct lineedit ed;
static char room[LINEEDIT_ECHO_MAX];

static size_t glyph_len(u8 first)
{
	return first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

static void check_line(void)
{
	struct str line = lineedit_line(&ed);
	bool cursor_between = ed.cursor == line.len;
	size_t at = 0;

	MUST(ed.cursor <= line.len && line.len <= LINEEDIT_LINE_MAX);
	for (; at < line.len; at += glyph_len((u8)line.data[at])) {
		u8 first = (u8)line.data[at];

		cursor_between |= at == ed.cursor;
		MUST(first >= ' ' && first != 0x7f && (first & 0xc0) != 0x80);
	}
	MUST(at == line.len && cursor_between);
}

static enum lineedit_event feed(u8 byte)
{
	struct byte_buf echo = BYTE_BUF(room);
	enum lineedit_event event = lineedit_feed(&ed, byte, &echo);

	MUST(echo.truncated == 0);
	check_line();
	return event;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct byte_buf echo = BYTE_BUF(room);

	lineedit_init(&ed, STR("> "));
	for (size_t i = 0; i < size; i++) {
		/* One byte value, which the editor ignores, drives the rest of the interface. */
		if (data[i] == 0x1c) {
			byte_buf_reset(&echo);
			struct str rest = { (const char *)data + i + 1,
					    MIN(size - i - 1, (size_t)9) };
			lineedit_insert(&ed, rest, &echo);
			check_line();
			byte_buf_reset(&echo);
			lineedit_redraw(&ed, &echo);
			MUST(echo.truncated == 0);
		}
		feed(data[i]);
	}
	feed(0x03);
	feed('o');
	feed('k');
	MUST(feed('\r') == LINEEDIT_LINE);
	MUST(str_eq(lineedit_line(&ed), STR("ok")));
	return 0;
}
