/*
 * printk.h - the kernel's own messages.
 *
 *	pr_info("uart: %u bytes lost", lost);
 *
 * A message is one line without its newline. It gets a level and a time, always goes to the
 * kernel log, and goes to the console too if its level is low enough for CONFIG_DEBUG_LEVEL or
 * the boot argument loglevel=N:
 *
 *	0	errors		something is broken, and the kernel goes on without it
 *	1	warnings, information
 *	2	details
 *	3	everything that happens
 *
 * Any context, interrupts included. A line longer than PRINTK_LINE_MAX is cut.
 */
#ifndef MAZU_PRINTK_H
#define MAZU_PRINTK_H

#include <mazu/types.h>
#include <stdarg.h>

#define PRINTK_LINE_MAX 200

enum printk_level {
	PRINTK_PANIC,
	PRINTK_ERROR,
	PRINTK_WARNING,
	PRINTK_INFO,
	PRINTK_DEBUG,
	PRINTK_TRACE,
};

void printk(enum printk_level level, const char *format, ...) __printf(2, 3);
void printk_v(enum printk_level level, const char *format, va_list args) __printf(2, 0);

/* Which levels reach the console: 0..3 as above. */
void printk_set_verbosity(u32 verbosity);

#define pr_panic(...) printk(PRINTK_PANIC, __VA_ARGS__)
#define pr_err(...) printk(PRINTK_ERROR, __VA_ARGS__)
#define pr_warn(...) printk(PRINTK_WARNING, __VA_ARGS__)
#define pr_info(...) printk(PRINTK_INFO, __VA_ARGS__)
#define pr_debug(...) printk(PRINTK_DEBUG, __VA_ARGS__)
#define pr_trace(...) printk(PRINTK_TRACE, __VA_ARGS__)

#endif
