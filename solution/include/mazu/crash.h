/*
 * crash.h - faults on purpose (debug builds).
 *
 *	CRASH_KIND(crash_null_call, "null-call", "call a null function pointer") { ... }
 *
 * defines a function and registers it under a name. Each kind breaks one rule, in a function of its own
 * that should turn up in the report. They are here to be looked at (crash KIND in the shell) and
 * to test that the report is right.
 */
#ifndef MAZU_CRASH_H
#define MAZU_CRASH_H

#include <mazu/str.h>

/* One way to end the kernel. The function comes back only if it found nothing to break. */
struct crash_kind {
	struct str name;
	struct str what;
	void (*plant)(void);
};

/* By name: the linker sorts them. */
extern const struct crash_kind __start_crash_kinds[], __stop_crash_kinds[];

#define CRASH_KIND(function, name_, what_)                                                         \
	static void function(void);                                                                \
	static const struct crash_kind crash_kind_##function                                       \
		__attribute__((used, section("crash_kinds." name_),                                \
			       aligned(8))) = { STR(name_), STR(what_), function };                \
	static __attribute__((noinline)) void function(void)

#endif
