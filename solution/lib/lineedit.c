/*
 * lineedit.c - the line editor: bytes in, drawing and events out.
 *
 * Three questions are kept apart, each in its own part below: which bytes belong together (a key
 * may be one byte, a UTF-8 sequence or an escape sequence), what the key does to the line, and
 * what must be drawn so that the terminal agrees.
 *
 * Invariants: the line holds whole code points only, cursor <= line.len lies between two of
 * them, and the terminal's cursor stands where ours does. Text enters in one place, insert(),
 * which takes all of it or none. Any byte in any state is fine, and no escape sequence can hold
 * the editor: control characters end one at once.
 *
 * Called by the console's reader and by tests.
 * Left out: lines wider than the terminal (we do not know its width), wide and combining
 * characters (every code point counts as one column), kill-and-yank, searching the history.
 * Specifications: ECMA-48 5.4 (control sequences), RFC 3629 section 3 (UTF-8).
 */
#include <mazu/fmt.h>
#include <mazu/lineedit.h>
#include <mazu/mem.h>

#define CTRL(letter) ((letter)&0x1f)

enum {
	BELL = 0x07,
	BACKSPACE = 0x08,
	ESCAPE = 0x1b,
	DELETE = 0x7f,
};

/* Where in an escape sequence we are. */
enum {
	GROUND,	 /* in none */
	ESCAPED, /* after ESC */
	FINAL,	 /* after ESC O: one more byte (the arrows in application mode) */
	NUMBER,	 /* after ESC [: in the first parameter */
	REST,	 /* ... beyond it: until a final byte 0x40..0x7e */
};

/* ---- Drawing ---- */

static void draw(struct byte_buf *echo, struct str s)
{
	byte_buf_append_str(echo, s);
}

static void bell(struct byte_buf *echo)
{
	byte_buf_append_byte(echo, BELL);
}

static bool is_continuation(char c)
{
	return ((u8)c & 0xc0) == 0x80;
}

static size_t columns(struct str s)
{
	size_t count = 0;

	for (size_t i = 0; i < s.len; i++)
		count += !is_continuation(s.data[i]);
	return count;
}

static struct str slice(const struct lineedit *ed, size_t from, size_t to)
{
	return (struct str){ ed->line.data + from, to - from };
}

static struct str after_cursor(const struct lineedit *ed)
{
	return slice(ed, ed->cursor, ed->line.len);
}

/* `final`: 'D' left, 'C' right (CUB and CUF of ECMA-48; 0 would mean 1). */
static void draw_move(struct byte_buf *echo, size_t count, char final)
{
	if (count > 0)
		fmt(echo, "\x1b[%zu%c", count, final);
}

/* The rest of the line from the cursor on, after something changed there. */
static void draw_tail(const struct lineedit *ed, struct byte_buf *echo)
{
	draw(echo, after_cursor(ed));
	draw(echo, STR("\x1b[K"));
	draw_move(echo, columns(after_cursor(ed)), 'D');
}

void lineedit_redraw(const struct lineedit *ed, struct byte_buf *echo)
{
	draw(echo, STR("\r"));
	draw(echo, ed->prompt);
	draw(echo, slice(ed, 0, ed->cursor));
	draw_tail(ed, echo);
}

/* ---- Moving, inserting, erasing ---- */

static void move_to(struct lineedit *ed, size_t target, struct byte_buf *echo)
{
	if (target < ed->cursor)
		draw_move(echo, columns(slice(ed, target, ed->cursor)), 'D');
	else
		draw_move(echo, columns(slice(ed, ed->cursor, target)), 'C');
	ed->cursor = (u8)target;
}

/* The start of the code point before the cursor, and the end of the one at it. */
static size_t one_left(const struct lineedit *ed)
{
	size_t at = ed->cursor;

	while (at > 0 && is_continuation(ed->line.data[--at]))
		;
	return at;
}

static size_t one_right(const struct lineedit *ed)
{
	size_t at = ed->cursor;

	if (at < ed->line.len)
		at++;
	while (at < ed->line.len && is_continuation(ed->line.data[at]))
		at++;
	return at;
}

static size_t word_left(const struct lineedit *ed)
{
	size_t at = ed->cursor;

	while (at > 0 && ed->line.data[at - 1] == ' ')
		at--;
	while (at > 0 && ed->line.data[at - 1] != ' ')
		at--;
	return at;
}

static bool insert(struct lineedit *ed, struct str text, struct byte_buf *echo)
{
	char *at = ed->line.data + ed->cursor;

	if (text.len > (size_t)(LINEEDIT_LINE_MAX - ed->line.len)) {
		bell(echo);
		return false;
	}
	memmove(at + text.len, at, after_cursor(ed).len);
	memcpy(at, text.data, text.len);
	ed->line.len += (u8)text.len;
	ed->cursor += (u8)text.len;
	draw(echo, text);
	if (ed->cursor != ed->line.len)
		draw_tail(ed, echo);
	return true;
}

/* Erases [from, to), of which the cursor is an end or inside; the cursor ends up at `from`. */
static void erase(struct lineedit *ed, size_t from, size_t to, struct byte_buf *echo)
{
	if (from == to) {
		bell(echo);
		return;
	}
	move_to(ed, from, echo);
	memmove(ed->line.data + from, ed->line.data + to, ed->line.len - to);
	ed->line.len -= (u8)(to - from);
	draw_tail(ed, echo);
}

/* ---- History ---- */

static struct lineedit_text *history_line(struct lineedit *ed, size_t back)
{
	return &ed->history[(ed->history_next + LINEEDIT_HISTORY - back) % LINEEDIT_HISTORY];
}

/* Remembers the line, unless it is blank or the same as the last one. */
static void history_add(struct lineedit *ed)
{
	struct str line = lineedit_line(ed);
	const struct lineedit_text *last = history_line(ed, 1);

	if (str_is_empty(str_trim(line)))
		return;
	if (ed->history_count > 0 && str_eq(line, (struct str){ last->data, last->len }))
		return;
	ed->history[ed->history_next] = ed->line;
	ed->history_next = (ed->history_next + 1) % LINEEDIT_HISTORY;
	if (ed->history_count < LINEEDIT_HISTORY)
		ed->history_count++;
}

/* Shows the line `back` lines ago; 0 is what was being typed. Changes made to old lines are lost. */
static void history_show(struct lineedit *ed, size_t back, struct byte_buf *echo)
{
	if (back > ed->history_count) {
		bell(echo);
		return;
	}
	if (ed->history_back == 0)
		ed->draft = ed->line;
	move_to(ed, 0, echo);
	ed->line = back == 0 ? ed->draft : *history_line(ed, back);
	ed->history_back = (u8)back;
	ed->cursor = ed->line.len;
	draw(echo, lineedit_line(ed));
	draw(echo, STR("\x1b[K"));
}

static void history_older(struct lineedit *ed, struct byte_buf *echo)
{
	history_show(ed, ed->history_back + 1u, echo);
}

static void history_newer(struct lineedit *ed, struct byte_buf *echo)
{
	if (ed->history_back == 0)
		bell(echo);
	else
		history_show(ed, ed->history_back - 1u, echo);
}

/* ---- Lines ---- */

static void clear_line(struct lineedit *ed)
{
	ed->line.len = 0;
	ed->cursor = 0;
	ed->history_back = 0;
	ed->ended = false;
}

static enum lineedit_event end_line(struct lineedit *ed, enum lineedit_event event,
				    struct byte_buf *echo)
{
	if (event == LINEEDIT_LINE)
		history_add(ed);
	if (event == LINEEDIT_INTERRUPT)
		draw(echo, STR("^C"));
	draw(echo, STR("\r\n"));
	ed->ended = true;
	return event;
}

void lineedit_init(struct lineedit *ed, struct str prompt)
{
	*ed = (struct lineedit){ .prompt = prompt };
}

void lineedit_start(struct lineedit *ed, struct byte_buf *echo)
{
	clear_line(ed);
	draw(echo, ed->prompt);
}

struct str lineedit_line(const struct lineedit *ed)
{
	return slice(ed, 0, ed->line.len);
}

struct str lineedit_before_cursor(const struct lineedit *ed)
{
	return slice(ed, 0, ed->cursor);
}

/* ---- Keys ---- */

static enum lineedit_event control_key(struct lineedit *ed, u8 key, struct byte_buf *echo)
{
	switch (key) {
	case CTRL('A'): move_to(ed, 0, echo); break;
	case CTRL('B'): move_to(ed, one_left(ed), echo); break;
	case CTRL('E'): move_to(ed, ed->line.len, echo); break;
	case CTRL('F'): move_to(ed, one_right(ed), echo); break;
	case BACKSPACE:
	case DELETE: erase(ed, one_left(ed), ed->cursor, echo); break;
	case CTRL('K'): erase(ed, ed->cursor, ed->line.len, echo); break;
	case CTRL('U'): erase(ed, 0, ed->cursor, echo); break;
	case CTRL('W'): erase(ed, word_left(ed), ed->cursor, echo); break;
	case CTRL('P'): history_older(ed, echo); break;
	case CTRL('N'): history_newer(ed, echo); break;
	case CTRL('L'):
		draw(echo, STR("\x1b[H\x1b[2J"));
		lineedit_redraw(ed, echo);
		break;
	case CTRL('C'): return end_line(ed, LINEEDIT_INTERRUPT, echo);
	case CTRL('D'):
		if (ed->line.len == 0)
			return end_line(ed, LINEEDIT_EOF, echo);
		erase(ed, ed->cursor, one_right(ed), echo);
		break;
	case '\t': return LINEEDIT_COMPLETE;
	case '\r': ed->skip_lf = true; return end_line(ed, LINEEDIT_LINE, echo);
	case '\n': return end_line(ed, LINEEDIT_LINE, echo);
	case ESCAPE: ed->state = ESCAPED; break;
	default: break; /* the others mean nothing here */
	}
	return LINEEDIT_NONE;
}

/* Keys that send ESC [ number ~: vt220 and rxvt number them so. */
static void numbered_key(struct lineedit *ed, u8 number, struct byte_buf *echo)
{
	switch (number) {
	case 1:
	case 7: move_to(ed, 0, echo); break;
	case 4:
	case 8: move_to(ed, ed->line.len, echo); break;
	case 3: erase(ed, ed->cursor, one_right(ed), echo); break;
	default: break;
	}
}

/* The last byte of a sequence says what it was. Modifiers (ESC [ 1 ; 5 C) are ignored. */
static void sequence_key(struct lineedit *ed, u8 final, struct byte_buf *echo)
{
	switch (final) {
	case 'A': history_older(ed, echo); break;
	case 'B': history_newer(ed, echo); break;
	case 'C': move_to(ed, one_right(ed), echo); break;
	case 'D': move_to(ed, one_left(ed), echo); break;
	case 'H': move_to(ed, 0, echo); break;
	case 'F': move_to(ed, ed->line.len, echo); break;
	case '~': numbered_key(ed, ed->parameter, echo); break;
	default: break;
	}
}

/* A printable byte inside an escape sequence. */
static void sequence_byte(struct lineedit *ed, u8 byte, struct byte_buf *echo)
{
	u8 state = ed->state;

	ed->state = GROUND;
	if (state == ESCAPED) {
		if (byte == '[' || byte == 'O')
			ed->state = byte == '[' ? NUMBER : FINAL;
		ed->parameter = 0;
	} else if (state == NUMBER && byte >= '0' && byte <= '9') {
		ed->state = NUMBER; /* a number too big for any key stays too big */
		ed->parameter = (u8)MIN(ed->parameter * 10 + byte - '0', 255);
	} else if (byte < 0x40 && state != FINAL) {
		ed->state = REST;
	} else {
		sequence_key(ed, byte, echo);
	}
}

/* How many bytes a UTF-8 sequence has by its first; 0: none begins like this. */
static u8 glyph_size(u8 first)
{
	if (first >= 0xc2 && first < 0xe0)
		return 2;
	if (first >= 0xe0 && first < 0xf0)
		return 3;
	return first >= 0xf0 && first < 0xf5 ? 4 : 0;
}

/* A byte of a longer character. It is inserted when it is whole; pieces of one are dropped. */
static void glyph_byte(struct lineedit *ed, u8 byte, struct byte_buf *echo)
{
	if (!is_continuation((char)byte)) {
		ed->glyph_len = 0;
		ed->glyph_need = glyph_size(byte);
	}
	if (ed->glyph_need == 0) {
		bell(echo);
		return;
	}
	ed->glyph[ed->glyph_len++] = byte;
	if (ed->glyph_len == ed->glyph_need) {
		insert(ed, (struct str){ (const char *)ed->glyph, ed->glyph_len }, echo);
		ed->glyph_need = 0;
	}
}

static enum lineedit_event key(struct lineedit *ed, u8 byte, struct byte_buf *echo)
{
	char c = (char)byte;

	if (byte >= 0x80) {
		ed->state = GROUND;
		glyph_byte(ed, byte, echo);
		return LINEEDIT_NONE;
	}
	ed->glyph_need = 0;
	if (byte < ' ' || byte == DELETE) {
		ed->state = GROUND;
		return control_key(ed, byte, echo);
	}
	if (ed->state != GROUND)
		sequence_byte(ed, byte, echo);
	else
		insert(ed, (struct str){ &c, 1 }, echo);
	return LINEEDIT_NONE;
}

enum lineedit_event lineedit_feed(struct lineedit *ed, u8 byte, struct byte_buf *echo)
{
	bool belongs_to_cr = ed->skip_lf && byte == '\n';

	ed->skip_lf = false;
	if (belongs_to_cr)
		return LINEEDIT_NONE;
	if (ed->ended)
		clear_line(ed);
	return key(ed, byte, echo);
}

/* Whether the text keeps the line's invariant: printable, and code points whole. */
static bool is_insertable(struct str text)
{
	size_t missing = 0;

	for (size_t i = 0; i < text.len; i++) {
		u8 byte = (u8)text.data[i];

		if (is_continuation((char)byte) != (missing > 0))
			return false;
		if (missing > 0)
			missing--;
		else if (byte >= 0x80 && glyph_size(byte) == 0)
			return false;
		else if (byte >= 0x80)
			missing = glyph_size(byte) - 1u;
		else if (byte < ' ' || byte == DELETE)
			return false;
	}
	return missing == 0;
}

bool lineedit_insert(struct lineedit *ed, struct str text, struct byte_buf *echo)
{
	if (ed->ended)
		clear_line(ed);
	if (!is_insertable(text)) {
		bell(echo);
		return false;
	}
	return insert(ed, text, echo);
}
