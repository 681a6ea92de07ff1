/*
 * crash KIND: see what a fault looks like (debug builds).
 */
#include <arch/crash.h>
#include <mazu/shell.h>

SHELL_COMMAND(crash, "KIND", "plant a fault; without KIND, list them")
{
	for (size_t i = 0; i < crash_kind_count; i++)
		if (str_eq(crash_kinds[i].name, arguments))
			crash_kinds[i].plant();
	for (size_t i = 0; i < crash_kind_count; i++)
		shell_printf(sh, "crash %-12.*s %.*s\n", STR_ARG(crash_kinds[i].name),
			     STR_ARG(crash_kinds[i].what));
}
