/*
 * crash KIND: see what a fault looks like (debug builds).
 */
#include <mazu/crash.h>
#include <mazu/shell.h>

SHELL_COMMAND(crash, "KIND", "plant a fault; without KIND, list them")
{
	const struct crash_kind *kind;

	for (kind = __start_crash_kinds; kind < __stop_crash_kinds; kind++)
		if (str_eq(kind->name, arguments))
			kind->plant();
	for (kind = __start_crash_kinds; kind < __stop_crash_kinds; kind++)
		shell_printf(sh, "crash %-19.*s %.*s\n", STR_ARG(kind->name), STR_ARG(kind->what));
}
