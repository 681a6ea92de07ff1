/*
 * printk: one line, formatted once, to the log and perhaps to the console.
 *
 * The line is built on the caller's stack, so any number of contexts may print at once; the
 * log and the console each take their own lock, one after the other.
 */
#include <mazu/bytes.h>
#include <mazu/console.h>
#include <mazu/fmt.h>
#include <mazu/klog.h>
#include <mazu/printk.h>
#include <mazu/time.h>

static enum printk_level console_level = PRINTK_ERROR;

void printk_set_verbosity(u32 verbosity)
{
	static const enum printk_level levels[] = { PRINTK_ERROR, PRINTK_INFO, PRINTK_DEBUG,
						    PRINTK_TRACE };

	console_level = levels[MIN(verbosity, (u32)ARRAY_SIZE(levels) - 1)];
}

static void printk_show(enum printk_level level, u64 time_ns, struct str text)
{
	static const struct str marks[] = {
		[PRINTK_ERROR] = STR("error: "),
		[PRINTK_WARNING] = STR("warning: "),
		[PRINTK_TRACE] = STR(""),
	};
	u64 us = time_ns / 1000;

	if (level == PRINTK_PANIC)
		console_printf("%.*s\n", STR_ARG(text));
	else
		console_printf("[%5lu.%06lu] %.*s%.*s\n", us / 1000000, us % 1000000,
			       STR_ARG(marks[level]), STR_ARG(text));
}

void printk_v(enum printk_level level, const char *format, va_list args)
{
	u8 line[PRINTK_LINE_MAX] __attribute__((aligned(8))); /* klog copies words */
	struct byte_buf buf = BYTE_BUF(line);
	u64 now = time_now_ns();

	fmt_v(&buf, format, args);
	klog_append(level, now, byte_buf_to_str(&buf));
	if (level <= console_level)
		printk_show(level, now, byte_buf_to_str(&buf));
}

void printk(enum printk_level level, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	printk_v(level, format, args);
	va_end(args);
}
