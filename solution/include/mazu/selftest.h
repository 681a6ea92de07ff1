/*
 * selftest.h - tests that live beside the code, in the kernel's image and on the host.
 *
 *	SELFTEST(str_trim_ends, "str_trim removes blanks at both ends, and only there")
 *	{
 *		CHECK_STR_EQ(t, str_trim(STR(" a b ")), STR("a b"));
 *	}
 *
 * A test has a name, the criterion that it checks in words, and a body that gets `struct selftest
 * *t`. It registers itself in the linker section "selftests" (an array of pointers between
 * __start_selftests and __stop_selftests). Tests are independent: each sets up what it needs,
 * and any one can be run alone.
 *
 * Some criteria are about time, and mean something only where the machine's clock counts its instructions. Booted
 * with `untimed`, because the clock is the host's, which stops and jumps as the host likes, a run leaves the verdict on
 * these open, and says so; everything else is judged as ever.
 *
 * The report is TAP version 14 (testanything.org). The environment supplies selftest_print().
 */
#ifndef MAZU_SELFTEST_H
#define MAZU_SELFTEST_H

#include <mazu/str.h>
#include <mazu/types.h>

struct selftest;

struct selftest_case {
	struct str name;
	struct str criterion;
	void (*run)(struct selftest *t);
};

/* One running test. The first failure is kept in full, the others are counted. */
struct selftest {
	const struct selftest_case *test;
	u32 failures;
	u32 unjudged;	    /* criteria of time that did not hold, and do not count */
	struct str skipped; /* why; empty: not skipped */
	struct str file;    /* of the first failure, as the following */
	u32 line;
	char detail[320]; /* YAML lines: what was expected, what was found */
	size_t detail_len;
};

/* Runs the tests whose names match `pattern` (str_matches). Returns how many failed; no match: 1. */
u32 selftest_run(struct str pattern);

/* Calls `visit` for each test whose name matches, in link order; returns how many. */
u32 selftest_for_each(struct str pattern, void (*visit)(const struct selftest_case *test));

/* The clock is not the machine's own: CHECK_TIMED judges nobody. */
extern bool selftest_untimed;

/* Supplied by the environment: one piece of the report, to the console and unfiltered. */
void selftest_print(const char *format, ...) __printf(1, 2);

/* Gives up on everything: "Bail out!". The caller stops the machine or process next. */
void selftest_bail_out(struct str reason);

#define SELFTEST(ident, words)                                                                     \
	static void selftest_##ident(struct selftest *t);                                          \
	static const struct selftest_case selftest_case_##ident = {                                \
		.name = STR(#ident),                                                               \
		.criterion = STR(words),                                                           \
		.run = selftest_##ident,                                                           \
	};                                                                                         \
	static const struct selftest_case *const selftest_entry_##ident                            \
		__attribute__((used, section("selftests"))) = &selftest_case_##ident;              \
	static void selftest_##ident(__maybe_unused struct selftest *t)

/* Each records a failure and goes on; each is true when the check held. */
#define CHECK(t, condition)                                                                        \
	selftest_check((t), (condition), STR(__FILE__), __LINE__, STR(#condition))
#define CHECK_EQ(t, actual, expected)                                                              \
	selftest_check_eq((t), (u64)(actual), (u64)(expected), STR(__FILE__), __LINE__,            \
			  STR(#actual " == " #expected))
#define CHECK_STR_EQ(t, actual, expected)                                                          \
	selftest_check_str_eq((t), (actual), (expected), STR(__FILE__), __LINE__,                  \
			      STR(#actual " == " #expected))

/* About time: how soon, how long, how much of the hart. */
#define CHECK_TIMED(t, condition)                                                                  \
	selftest_check_timed((t), (condition), STR(__FILE__), __LINE__, STR(#condition))
#define CHECK_TIMED_EQ(t, actual, expected) CHECK_TIMED(t, (actual) == (expected))

/* CHECK for what the rest of the test stands on: on failure the test ends here. */
#define REQUIRE(t, condition)                                                                      \
	do {                                                                                       \
		if (!CHECK(t, condition))                                                          \
			return;                                                                    \
	} while (0)

/* For a test that is nothing without a clock which counts instructions. */
#define NEEDS_MACHINE_TIME(t)                                                                      \
	do {                                                                                       \
		if (selftest_untimed)                                                              \
			SKIP(t, "needs a clock that counts instructions");                         \
	} while (0)

/* Ends the test as skipped. */
#define SKIP(t, why)                                                                               \
	do {                                                                                       \
		(t)->skipped = STR(why);                                                           \
		return;                                                                            \
	} while (0)

bool selftest_check(struct selftest *t, bool held, struct str file, u32 line, struct str what);
bool selftest_check_timed(struct selftest *t, bool held, struct str file, u32 line,
			  struct str what);
bool selftest_check_eq(struct selftest *t, u64 actual, u64 expected, struct str file, u32 line,
		       struct str what);
bool selftest_check_str_eq(struct selftest *t, struct str actual, struct str expected,
			   struct str file, u32 line, struct str what);

#endif
