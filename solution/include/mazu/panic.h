/*
 * panic.h - the end, when one of our own invariants is broken.
 *
 * Never for bad input, a hostile packet, a full disk or a lack of memory: those are errors.
 */
#ifndef MAZU_PANIC_H
#define MAZU_PANIC_H

#include <mazu/config.h>
#include <mazu/types.h>

struct trap_frame;

/* QEMU's exit status after a panic. */
#define PANIC_EXIT_STATUS 70

/*
 * Says why, shows where we are and how we came there, and stops the machine. Any context. A
 * panic inside a panic prints one line and stops.
 */
void panic(const char *format, ...) __printf(1, 2) __noreturn;

/* The same for a function that panics in the name of its caller, at that return address. */
void panic_from(uptr caller, const char *format, ...) __printf(2, 3) __noreturn;

/* The same for a trap: where and how are those of the interrupted code. */
void panic_at(const struct trap_frame *frame, const char *format, ...) __printf(2, 3) __noreturn;

/* The next panic of this hart calls `print` behind its first line, to say more about it (pr_panic). */
void panic_explain(void (*print)(void));

/* Whether this kernel is past saving: locks and limits no longer count. */
bool panic_in_progress(void);

/* It is this hart's. */
bool panic_is_mine(void);

/* A broken invariant in debug builds; costs nothing in release builds. */
#define ASSERT(condition)                                                                          \
	do {                                                                                       \
		if (IS_ENABLED(CONFIG_DEBUG_CHECKS) && unlikely(!(condition)))                     \
			panic("assertion failed at %s:%d: %s", __FILE__, __LINE__, #condition);    \
	} while (0)

#endif
