/*
 * The shell on the console: bytes in, lines out, commands run.
 *
 * lib/lineedit.c does the editing; this file gives it its bytes, sends its echo, completes
 * command names and runs finished lines. Commands come from the linker (SHELL_COMMAND), sorted
 * by name because the linker script sorts their sections. One shell; console_serve calls it.
 */
#include <mazu/console.h>
#include <mazu/fmt.h>
#include <mazu/init.h>
#include <mazu/shell.h>

extern const struct shell_command __start_shell_commands[], __stop_shell_commands[];

#define PROMPT "mazu> "
/* The most that one byte of input draws: a line, the prompt, a few escape sequences. */
#define ECHO_MAX (LINEEDIT_ECHO_MAX + sizeof(PROMPT))

static struct shell console_shell = { .write = console_write }; /* console_serve's context */

void shell_printf(struct shell *sh, const char *format, ...)
{
	u8 text[512];
	struct byte_buf buf = BYTE_BUF(text);
	va_list args;

	va_start(args, format);
	fmt_v(&buf, format, args);
	va_end(args);
	sh->write(byte_buf_view(&buf));
}

void shell_execute(struct shell *sh, struct str line)
{
	struct str rest = line;
	struct str name = str_split_word(&rest);

	if (str_is_empty(name))
		return;
	for (const struct shell_command *c = __start_shell_commands; c < __stop_shell_commands; c++)
		if (str_eq(c->name, name)) {
			c->run(sh, str_trim(rest));
			return;
		}
	shell_printf(sh, "%.*s: no such command; try help\n", STR_ARG(name));
}

SHELL_COMMAND(help, "", "this list")
{
	for (const struct shell_command *c = __start_shell_commands; c < __stop_shell_commands; c++)
		shell_printf(sh, "%-8.*s %-8.*s %.*s\n", STR_ARG(c->name), STR_ARG(c->arguments),
			     STR_ARG(c->help));
}

/* ---- Completion ---- */

/* What all commands that begin with `prefix` have in common; `count` is how many there are. */
static struct str completion(struct str prefix, size_t *count)
{
	struct str common = STR("");

	*count = 0;
	for (const struct shell_command *c = __start_shell_commands; c < __stop_shell_commands;
	     c++) {
		if (!str_starts_with(c->name, prefix))
			continue;
		if ((*count)++ == 0)
			common = c->name;
		while (!str_starts_with(c->name, common))
			common.len--;
	}
	return common;
}

static void completion_list(struct shell *sh, struct str prefix)
{
	shell_printf(sh, "\n");
	for (const struct shell_command *c = __start_shell_commands; c < __stop_shell_commands; c++)
		if (str_starts_with(c->name, prefix))
			shell_printf(sh, "%.*s  ", STR_ARG(c->name));
	shell_printf(sh, "\n");
}

/* Tab: the only command gets its blank, several grow to what they share, or are listed. */
static void complete(struct shell *sh, struct byte_buf *echo)
{
	struct str prefix = lineedit_before_cursor(&sh->editor);
	size_t count;
	struct str common = completion(prefix, &count);

	if (count > 1 && common.len == prefix.len) {
		completion_list(sh, prefix);
		lineedit_redraw(&sh->editor, echo);
	} else if (count) {
		lineedit_insert(&sh->editor, str_skip(common, prefix.len), echo);
		if (count == 1)
			lineedit_insert(&sh->editor, STR(" "), echo);
	}
}

/* ---- The console's reader ---- */

static void shell_start(void)
{
	u8 text[ECHO_MAX];
	struct byte_buf echo = BYTE_BUF(text);

	lineedit_start(&console_shell.editor, &echo);
	console_write(byte_buf_view(&echo));
}

static void shell_feed(u8 byte)
{
	struct shell *sh = &console_shell;
	u8 text[ECHO_MAX];
	struct byte_buf echo = BYTE_BUF(text);
	enum lineedit_event event = lineedit_feed(&sh->editor, byte, &echo);

	if (event == LINEEDIT_COMPLETE)
		complete(sh, &echo);
	console_write(byte_buf_view(&echo));
	if (event == LINEEDIT_LINE)
		shell_execute(sh, lineedit_line(&sh->editor));
	if (event == LINEEDIT_LINE || event == LINEEDIT_INTERRUPT || event == LINEEDIT_EOF)
		shell_start();
}

static const struct console_reader shell_reader = { shell_start, shell_feed };

static enum error shell_init(void)
{
	lineedit_init(&console_shell.editor, STR(PROMPT));
	console_set_reader(&shell_reader);
	return OK;
}
INIT_TASK(shell, shell_init);
