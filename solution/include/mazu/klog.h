/*
 * klog.h - the kernel's memory of what it said.
 *
 * Lines are kept in memory from the very first one. The first CONFIG_KLOG_EARLY_SIZE bytes hold
 * the boot for good; what comes later goes round in a ring of CONFIG_KLOG_SIZE bytes in which the
 * newest lines replace the oldest. Each line has a sequence number, so a reader always knows
 * whether it missed some.
 */
#ifndef MAZU_KLOG_H
#define MAZU_KLOG_H

#include <mazu/bytes.h>
#include <mazu/printk.h>
#include <mazu/types.h>

struct klog_line {
	u64 sequence; /* 0, 1, 2, ... without gaps */
	u64 time_ns;  /* since boot */
	enum printk_level level;
	struct str text; /* in the reader's buffer */
};

/* Adds a line; at most PRINTK_LINE_MAX bytes of it. Any context. */
void klog_append(enum printk_level level, u64 time_ns, struct str text);

/* Where a reader is. All zero: before the oldest line. */
struct klog_cursor {
	u64 sequence; /* of the line to read next */
	u32 position; /* of its record; klog.c's own */
};

/*
 * Reads the line at the cursor, or the oldest one that is left when that is gone, and moves the
 * cursor past it. The text goes to `text`, which is emptied first. ERR_NOENT: no line yet.
 */
enum error __must_check klog_next(struct klog_cursor *cursor, struct klog_line *line,
				  struct byte_buf *text);

#endif
