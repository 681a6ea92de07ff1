/*
 * model_lineedit.c - the line editor against two models, with random keys.
 *
 * One model is the text: an array of code points and an index, edited in the obvious way. The other
 * is a terminal: it draws what the editor echoes, and must show the prompt and the line with its
 * cursor in the same place. So neither the line nor the picture of it can go wrong unnoticed.
 */
#include "random.h"

#include <mazu/lineedit.h>
#include <mazu/selftest.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROMPT "mazu> "

/* ---- A terminal of one row; each cell is a code point in up to 4 bytes ---- */

struct terminal {
	char cells[1024][5];
	size_t len, at;
};

static size_t glyph_len(u8 first)
{
	return first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

static void terminal_glyph(struct terminal *term, const u8 *bytes, size_t len)
{
	memset(term->cells[term->at], 0, sizeof(term->cells[0]));
	memcpy(term->cells[term->at++], bytes, len);
	term->len = MAX(term->len, term->at);
}

/* ESC [ number final; returns the bytes used. */
static size_t terminal_control(struct terminal *term, const u8 *bytes)
{
	char *end;
	size_t number = strtoul((const char *)bytes + 2, &end, 10);

	switch (*end) {
	case 'D': term->at -= MIN(number, term->at); break;
	case 'C': term->at = MIN(term->at + number, term->len); break;
	case 'K': term->len = term->at; break;
	case 'H': term->at = 0; break;
	case 'J': term->len = 0; break;
	default: abort();
	}
	return (size_t)((const u8 *)end + 1 - bytes);
}

static void terminal_draw(struct terminal *term, struct byte_buf *echo)
{
	byte_buf_append_byte(echo, 0); /* strtoul stops */
	for (size_t i = 0; i + 1 < echo->len;) {
		const u8 *bytes = echo->data + i;

		if (*bytes == 0x1b) {
			i += terminal_control(term, bytes);
		} else if (*bytes == '\r' || *bytes == '\n') {
			term->at = 0;
			term->len = *bytes == '\n' ? 0 : term->len;
			i++;
		} else if (*bytes == '\a') {
			i++;
		} else {
			terminal_glyph(term, bytes, glyph_len(*bytes));
			i += glyph_len(*bytes);
		}
	}
	byte_buf_reset(echo);
}

/* Whether the row shows the prompt and this line, with the cursor after `before`. */
static bool terminal_shows(const struct terminal *term, const struct lineedit *ed)
{
	char shown[2048];
	size_t len = 0, cursor = 0;
	size_t before = sizeof(PROMPT) - 1 + lineedit_before_cursor(ed).len;
	struct str line = lineedit_line(ed);

	for (size_t i = 0; i < term->len; i++) {
		if (i == term->at)
			cursor = len;
		len += (size_t)snprintf(shown + len, sizeof(shown) - len, "%s", term->cells[i]);
	}
	if (term->at == term->len)
		cursor = len;
	return cursor == before && len == sizeof(PROMPT) - 1 + line.len &&
	       memcmp(shown, PROMPT, sizeof(PROMPT) - 1) == 0 &&
	       memcmp(shown + sizeof(PROMPT) - 1, line.data, line.len) == 0;
}

/* ---- A line of code points ---- */

struct model {
	char glyphs[256][5];
	size_t len, cursor;
};

static size_t model_bytes(const struct model *model)
{
	size_t bytes = 0;

	for (size_t i = 0; i < model->len; i++)
		bytes += strlen(model->glyphs[i]);
	return bytes;
}

static void model_insert(struct model *model, const char *glyph)
{
	if (model_bytes(model) + strlen(glyph) > LINEEDIT_LINE_MAX)
		return;
	memmove(model->glyphs[model->cursor + 1], model->glyphs[model->cursor],
		(model->len - model->cursor) * sizeof(model->glyphs[0]));
	snprintf(model->glyphs[model->cursor], sizeof(model->glyphs[0]), "%s", glyph);
	model->cursor++;
	model->len++;
}

static void model_erase(struct model *model, size_t from, size_t to)
{
	memmove(model->glyphs[from], model->glyphs[to],
		(model->len - to) * sizeof(model->glyphs[0]));
	model->len -= to - from;
	model->cursor = from;
}

static size_t model_word(const struct model *model)
{
	size_t at = model->cursor;

	while (at > 0 && model->glyphs[at - 1][0] == ' ')
		at--;
	while (at > 0 && model->glyphs[at - 1][0] != ' ')
		at--;
	return at;
}

static const char *const keys[] = {
	"\x01", "\x05",	   "\x02", "\x06", "\x1b[D", "\x1bOC", "\x08",
	"\x7f", "\x1b[3~", "\x0b", "\x15", "\x17",   "\x0c",   "\x1b[5~",
};

static void model_key(struct model *m, size_t key)
{
	size_t left = m->cursor > 0 ? m->cursor - 1 : 0;
	size_t right = MIN(m->cursor + 1, m->len);

	switch (key) {
	case 0: m->cursor = 0; break;
	case 1: m->cursor = m->len; break;
	case 2:
	case 4: m->cursor = left; break;
	case 3:
	case 5: m->cursor = right; break;
	case 6:
	case 7: model_erase(m, left, m->cursor); break;
	case 8: model_erase(m, m->cursor, right); break;
	case 9: m->len = m->cursor; break;
	case 10: model_erase(m, 0, m->cursor); break;
	case 11: model_erase(m, model_word(m), m->cursor); break;
	default: break;
	}
}

static bool model_agrees(const struct model *model, const struct lineedit *ed)
{
	char text[1024] = "";
	size_t len = 0, cursor = 0;
	struct str line = lineedit_line(ed);

	for (size_t i = 0; i < model->len; i++) {
		if (i == model->cursor)
			cursor = len;
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s", model->glyphs[i]);
	}
	if (model->cursor == model->len)
		cursor = len;
	return line.len == len && memcmp(line.data, text, len) == 0 &&
	       lineedit_before_cursor(ed).len == cursor;
}

/* ---- The test ---- */

static struct lineedit ed;
static struct terminal term;
static char echo_room[LINEEDIT_ECHO_MAX + 64];

static void feed(struct byte_buf *echo, const char *bytes)
{
	for (; *bytes; bytes++)
		lineedit_feed(&ed, (u8)*bytes, echo);
	terminal_draw(&term, echo);
}

SELFTEST(model_lineedit,
	 "after each of 60000 random keys the line and the screen agree with the models")
{
	static const char *const glyphs[] = {
		"a", "b", " ", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x8c\x8a"
	};
	struct byte_buf echo = BYTE_BUF(echo_room);
	struct model model = { 0 };
	u64 seed = 3;

	lineedit_init(&ed, STR(PROMPT));
	lineedit_start(&ed, &echo);
	terminal_draw(&term, &echo);
	for (int i = 0; i < 60000 && t->failures == 0; i++) {
		/* Rounds of mostly typing and of mostly erasing: full and empty lines both occur. */
		if (random_below(&seed, 16) < (i / 500 % 2 ? 15u : 7u)) {
			const char *glyph = glyphs[random_below(&seed, ARRAY_SIZE(glyphs))];

			model_insert(&model, glyph);
			feed(&echo, glyph);
		} else {
			/* The keys that erase much are rare. */
			size_t key = random_below(&seed, 40) == 0
					     ? random_below(&seed, ARRAY_SIZE(keys))
					     : random_below(&seed, 9);

			model_key(&model, key);
			feed(&echo, keys[key]);
		}
		CHECK(t, model_agrees(&model, &ed));
		CHECK(t, terminal_shows(&term, &ed));
	}
}

SELFTEST(model_lineedit_garbage,
	 "200000 random bytes leave a line of whole code points and a cursor in it")
{
	struct byte_buf echo = BYTE_BUF(echo_room);
	u64 seed = 4;

	lineedit_init(&ed, STR(PROMPT));
	for (int i = 0; i < 200000; i++) {
		byte_buf_reset(&echo);
		lineedit_feed(&ed, (u8)random_u64(&seed), &echo);
		CHECK_EQ(t, echo.truncated, 0);
		CHECK(t, ed.cursor <= ed.line.len);
		for (size_t at = 0; at < ed.line.len;) {
			at += glyph_len((u8)ed.line.data[at]);
			CHECK(t, at <= ed.line.len);
		}
	}
}
