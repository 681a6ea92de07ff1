/*
 * lineedit.h - editing one line of console input, as a pure state machine.
 *
 * Bytes from the terminal go in one at a time; bytes to draw come out into a buffer; now and
 * then an event says that a line is ready. The editor does no input and no output itself and
 * knows no clock, so the console driver, a test and a fuzzer drive it the same way.
 *
 * Keys (ECMA-48 sequences and the control characters of the GNU Readline manual):
 *	left ^B  right ^F  Home ^A  End ^E	move by code point, or to an end
 *	Backspace ^H DEL, Delete		erase before, at the cursor
 *	^K ^U ^W				erase to the end, to the start, the word before
 *	up ^P  down ^N				the last LINEEDIT_HISTORY lines
 *	Tab ^C ^D ^L				complete, interrupt, end of file, clear screen
 * CR, LF and CR LF end exactly one line.
 *
 * One editor has one user at a time; any context. Every call ends after at most
 * LINEEDIT_LINE_MAX + prompt steps.
 */
#ifndef MAZU_LINEEDIT_H
#define MAZU_LINEEDIT_H

#include <mazu/bytes.h>
#include <mazu/str.h>
#include <mazu/types.h>

#define LINEEDIT_LINE_MAX 255 /* bytes in a line */
#define LINEEDIT_HISTORY 16   /* lines remembered */

/* Room for what one call draws, without the prompt; with less, drawing is cut short, no more. */
#define LINEEDIT_ECHO_MAX 320

enum lineedit_event {
	LINEEDIT_NONE,	    /* nothing to do but to send the echo */
	LINEEDIT_LINE,	    /* a line is ready: lineedit_line() */
	LINEEDIT_INTERRUPT, /* ^C: the line was abandoned */
	LINEEDIT_EOF,	    /* ^D on an empty line */
	LINEEDIT_COMPLETE,  /* Tab: see lineedit_before_cursor(), lineedit_insert() */
};

/* A line of text. Invariant: whole UTF-8 code points only. */
struct lineedit_text {
	u8 len;
	char data[LINEEDIT_LINE_MAX];
};

struct lineedit {
	struct str prompt;
	struct lineedit_text line;
	u8 cursor;    /* bytes before it; <= line.len and on a code point */
	bool ended;   /* an event ended this line; the next byte starts a new one */
	bool skip_lf; /* the last byte was a CR, so an LF now belongs to it */

	u8 state;     /* where in an escape sequence: enum in lineedit.c */
	u8 parameter; /* first number of a control sequence */

	u8 glyph[4]; /* a UTF-8 sequence that is still arriving */
	u8 glyph_len, glyph_need;

	u8 history_count; /* lines kept */
	u8 history_next;  /* slot that the next one goes into */
	u8 history_back;  /* lines back that are shown now; 0: the draft */
	struct lineedit_text draft;
	struct lineedit_text history[LINEEDIT_HISTORY];
};

/* `prompt` must live as long as the editor. Draws nothing. */
void lineedit_init(struct lineedit *ed, struct str prompt);

/* Begins a new, empty line and draws the prompt. */
void lineedit_start(struct lineedit *ed, struct byte_buf *echo);

/*
 * One byte from the terminal. The drawing for it is appended to `echo`. After LINE, INTERRUPT and
 * EOF call lineedit_start() for the next prompt; bytes that come before that start a line too.
 */
enum lineedit_event lineedit_feed(struct lineedit *ed, u8 byte, struct byte_buf *echo);

/* The line as it is; after LINEEDIT_LINE the finished one, until the next call of start or feed. */
struct str lineedit_line(const struct lineedit *ed);

/* The part of the line that completion looks at. */
struct str lineedit_before_cursor(const struct lineedit *ed);

/*
 * Inserts text at the cursor as if it were typed: the rest of a completed word. False, and a
 * bell, when it does not fit or holds anything but printable characters; then nothing changed.
 */
bool lineedit_insert(struct lineedit *ed, struct str text, struct byte_buf *echo);

/* Draws prompt and line again, on the row where the cursor is: after foreign output. */
void lineedit_redraw(const struct lineedit *ed, struct byte_buf *echo);

#endif
