/*
 * crash.h - faults on purpose (debug builds).
 */
#ifndef ARCH_CRASH_H
#define ARCH_CRASH_H

#include <mazu/str.h>

/* One way to end the kernel. The function does not come back. */
struct crash_kind {
	struct str name;
	struct str what;
	void (*plant)(void);
};

extern const struct crash_kind crash_kinds[];
extern const size_t crash_kind_count;

#endif
