/*
 * shell.h - commands that a person types.
 *
 *	SHELL_COMMAND(uptime, "", "time since boot") { shell_printf(sh, ...); }
 *
 * defines and registers a command; the body gets the shell that it prints to and the rest of the
 * line. Commands know nothing of where their text goes: the serial console today, a page
 * in a browser later.
 */
#ifndef MAZU_SHELL_H
#define MAZU_SHELL_H

#include <mazu/bytes.h>
#include <mazu/lineedit.h>
#include <mazu/str.h>

struct shell {
	void (*write)(struct byte_view bytes);
	struct lineedit editor;
};

struct shell_command {
	struct str name;
	struct str arguments; /* as help shows them */
	struct str help;
	void (*run)(struct shell *sh, struct str arguments);
};

#define SHELL_COMMAND(name_, arguments_, help_)                                                    \
	static void shell_##name_(struct shell *sh, struct str arguments);                         \
	static const struct shell_command shell_command_##name_                                    \
		__attribute__((used, section("shell_commands." #name_), aligned(8))) = {           \
			STR(#name_), STR(arguments_), STR(help_), shell_##name_                    \
		};                                                                                 \
	static void shell_##name_(__maybe_unused struct shell *sh,                                 \
				  __maybe_unused struct str arguments)

void shell_printf(struct shell *sh, const char *format, ...) __printf(2, 3);

/* Runs one line: its first word names a command. */
void shell_execute(struct shell *sh, struct str line);

#endif
