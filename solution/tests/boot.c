/*
 * Self-tests at boot: `selftest` on the kernel command line runs all of them instead of going to
 * the prompt, `selftest=PATTERN` those whose names match; the report is TAP on the console, and QEMU
 * ends with 0 if all passed, else 1. With `failalloc=all` each is run again and again, once for
 * every allocation that it makes, which then fails (fault_walk.c). With `untimed` criteria of time are not judged.
 * With `minutes=N` all are run again, a report each time, until so much time has passed or one has failed.
 */
#include <mazu/bootargs.h>
#include <mazu/config.h>
#include <mazu/console.h>
#include <mazu/init.h>
#include <mazu/power.h>
#include <mazu/selftest.h>
#include <mazu/time.h>

#include "kernel/fault_walk.h"

void selftest_print(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	console_printf_v(format, args);
	va_end(args);
}

/* Returns how many failed. */
static u32 run_for(struct str pattern, u64 minutes)
{
	u64 end = time_ticks() + time_ticks_for(minutes * 60 * NS_PER_SECOND), rounds = 0;
	u32 failed;

	do {
		failed = selftest_run(pattern);
		rounds++;
	} while (!failed && time_ticks() < end);
	if (minutes)
		selftest_print("# rounds: %lu\n", rounds);
	return failed;
}

static void selftest_at_boot(void)
{
	struct result_str pattern = bootargs_find(STR("selftest"));

	if (pattern.err)
		return;
	if (str_is_empty(pattern.value))
		pattern.value = STR("*");
	selftest_untimed = !bootargs_find(STR("untimed")).err;
	if (IS_ENABLED(CONFIG_FAULT_INJECTION) &&
	    str_eq(bootargs_find(STR("failalloc")).value, STR("all")))
		power_off(fault_walk_run(pattern.value) ? 1 : 0);
	power_off(run_for(pattern.value, bootargs_number(STR("minutes"), 0)) ? 1 : 0);
}
INIT_HOOK(LATE, selftest_at_boot);
