/*
 * selftest.c - runs the self-tests and reports them in TAP version 14.
 *
 * The linker has gathered a pointer to each test in one section. A run counts those whose names
 * match, prints the plan, then runs them in link order. What a test finds is kept in `struct
 * selftest` and printed when it is over, because TAP wants the verdict before the details.
 * Only the first failure is kept in full: the others tend to follow from it.
 *
 *	TAP version 14
 *	1..2
 *	ok 1 - str_trim_ends: removes blanks at both ends
 *	not ok 2 - fmt_zero: prints zero as one digit
 *	  ---
 *	  file: "tests/lib/test_fmt.c"
 *	  line: 20
 *	  check: "out.len == 1"
 *	  found: 0 (0x0)
 *	  expected: 1 (0x1)
 *	  failures: 1
 *	  ...
 *
 * Tests run one after the other, in the caller's context. Left out: timing, parallel runs.
 * Specification: testanything.org, TAP version 14.
 */
#include <mazu/bytes.h>
#include <mazu/fmt.h>
#include <mazu/selftest.h>

/* Made by the linker because the section's name is a C identifier. */
extern const struct selftest_case *const __start_selftests[];
extern const struct selftest_case *const __stop_selftests[];

bool selftest_untimed;

/* ---- Checks ---- */

/* True for the first failure of a test: then the caller writes down the details. */
static bool record(struct selftest *t, struct str file, u32 line)
{
	if (t->failures++ > 0)
		return false;
	t->file = file;
	t->line = line;
	return true;
}

static struct byte_buf detail_of(struct selftest *t)
{
	return BYTE_BUF(t->detail);
}

/* Text inside double quotes as YAML wants it: quotes and backslashes escaped, the rest visible. */
static void append_quoted(struct byte_buf *out, struct str s)
{
	byte_buf_append_byte(out, '"');
	for (size_t i = 0; i < s.len; i++) {
		u8 c = (u8)s.data[i];

		if (c == '"' || c == '\\')
			fmt(out, "\\%c", c);
		else if (c < ' ' || c >= 0x7f)
			fmt(out, "\\x%02x", c);
		else
			byte_buf_append_byte(out, c);
	}
	byte_buf_append_byte(out, '"');
}

bool selftest_check(struct selftest *t, bool held, struct str file, u32 line, struct str what)
{
	if (!held && record(t, file, line)) {
		struct byte_buf out = detail_of(t);

		fmt(&out, "  check: ");
		append_quoted(&out, what);
		fmt(&out, "\n");
		t->detail_len = out.len;
	}
	return held;
}

bool selftest_check_timed(struct selftest *t, bool held, struct str file, u32 line, struct str what)
{
	if (!selftest_untimed)
		return selftest_check(t, held, file, line, what);
	t->unjudged += !held;
	return held;
}

bool selftest_check_eq(struct selftest *t, u64 actual, u64 expected, struct str file, u32 line,
		       struct str what)
{
	if (actual == expected)
		return true;
	if (record(t, file, line)) {
		struct byte_buf out = detail_of(t);

		fmt(&out, "  check: ");
		append_quoted(&out, what);
		fmt(&out, "\n  found: %lu (0x%lx)\n", actual, actual);
		fmt(&out, "  expected: %lu (0x%lx)\n", expected, expected);
		t->detail_len = out.len;
	}
	return false;
}

/* Text is cut after 64 bytes here, so that both sides fit. */
bool selftest_check_str_eq(struct selftest *t, struct str actual, struct str expected,
			   struct str file, u32 line, struct str what)
{
	if (str_eq(actual, expected))
		return true;
	if (record(t, file, line)) {
		struct byte_buf out = detail_of(t);

		actual.len = MIN(actual.len, (size_t)64);
		expected.len = MIN(expected.len, (size_t)64);
		fmt(&out, "  found: ");
		append_quoted(&out, actual);
		fmt(&out, "\n  expected: ");
		append_quoted(&out, expected);
		fmt(&out, "\n  check: ");
		append_quoted(&out, what);
		fmt(&out, "\n");
		t->detail_len = out.len;
	}
	return false;
}

/* ---- The report ---- */

/* In a description '#' would begin a directive, so it is escaped. */
static void print_words(struct str words)
{
	while (!str_is_empty(words)) {
		struct result_sz hash = str_find_char(words, '#');
		struct str run = { words.data, hash.err ? words.len : hash.value };

		selftest_print("%.*s%s", STR_ARG(run), hash.err ? "" : "\\#");
		words = str_skip(words, run.len + 1);
	}
}

static void print_failure(const struct selftest *t)
{
	struct str detail = { t->detail, t->detail_len };

	selftest_print("  ---\n  file: \"%.*s\"\n  line: %u\n", STR_ARG(t->file), t->line);
	selftest_print("%.*s", STR_ARG(detail));
	if (t->detail_len > 0 && t->detail[t->detail_len - 1] != '\n')
		selftest_print("\n"); /* it was cut */
	selftest_print("  failures: %u\n  ...\n", t->failures);
}

static void print_verdict(const struct selftest *t, u32 number)
{
	if (t->unjudged > 0)
		selftest_print("# untimed: %u criteria of time did not hold, and are not judged\n",
			       t->unjudged);
	selftest_print("%s %u - %.*s: ", t->failures > 0 ? "not ok" : "ok", number,
		       STR_ARG(t->test->name));
	print_words(t->test->criterion);
	if (!str_is_empty(t->skipped))
		selftest_print(" # SKIP %.*s", STR_ARG(t->skipped));
	selftest_print("\n");
	if (t->failures > 0)
		print_failure(t);
}

u32 selftest_for_each(struct str pattern, void (*visit)(const struct selftest_case *test))
{
	u32 count = 0;

	for (const struct selftest_case *const *at = __start_selftests; at != __stop_selftests;
	     at++) {
		if (!str_matches(pattern, (*at)->name))
			continue;
		count++;
		if (visit)
			visit(*at);
	}
	return count;
}

static struct {
	u32 number;
	u32 failed;
} progress;

static void run_one(const struct selftest_case *test)
{
	struct selftest t = { .test = test };

	test->run(&t);
	print_verdict(&t, ++progress.number);
	progress.failed += t.failures != 0;
}

u32 selftest_run(struct str pattern)
{
	u32 planned = selftest_for_each(pattern, NULL);

	selftest_print("TAP version 14\n");
	if (planned == 0) {
		selftest_print("1..1\nnot ok 1 - no self-test matches \"%.*s\"\n",
			       STR_ARG(pattern));
		return 1;
	}
	selftest_print("1..%u\n", planned);
	progress.number = progress.failed = 0;
	selftest_for_each(pattern, run_one);
	return progress.failed;
}

void selftest_bail_out(struct str reason)
{
	selftest_print("Bail out! %.*s\n", STR_ARG(reason));
}
