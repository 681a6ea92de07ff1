/*
 * main.c - the self-tests of lib/ and of kernel/mm's pure parts as a process on the host.
 *
 *	mazu-host-tests [pattern]
 *
 * The same test sources that the kernel carries, linked with the host's libc and sanitizers. The
 * exit status is 0 when all passed.
 */
#include "machine.h"

#include <mazu/selftest.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void selftest_print(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vprintf(format, args);
	va_end(args);
}

int main(int argc, char **argv)
{
	const char *pattern = argc > 1 ? argv[1] : "*";

	/* A sanitizer ends the process at once: what was found until then must be out. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	machine_start();
	machine_clock_start();
	return selftest_run((struct str){ pattern, strlen(pattern) }) != 0;
}
