/*
 * Event rings of several harts: each its own, and all together by time.
 */
#include <arch/cpu.h>
#include <mazu/time.h>
#include <mazu/trace.h>

#include "storm.h"

#define ROUNDS 200U

/* Switches on all harts, while each reads its own ring, and asks for the others'. */
static u64 run_events(void *arg)
{
	u64 wrong = 0;

	(void)arg;
	for (u32 i = 0; i < ROUNDS / 4; i++) {
		u32 self = this_cpu()->index, hart = (self + i) % CONFIG_CPU_MAX;
		u64 count = trace_count(hart);
		struct trace_event event = { 0 };
		enum error err = trace_read(hart, MIN(count, (u64)TRACE_SIZE) - 1, &event);

		if (hart == self)
			wrong += err == ERR_BUSY || event.ticks > time_ticks();
		else if (harts_online() & hart_bit(hart))
			wrong += err != ERR_BUSY;
		if (task_sleep(1000))
			break;
	}
	return wrong;
}

SELFTEST(smp_trace, "a ring is read by its own hart while it is written, and by nobody else")
{
	NEEDS_HARTS(t);
	CHECK_EQ(t, storm(t, run_events, NULL), 0);
}

/* The order within a hart; between harts, time's. */
static u64 out_of_order(u64 all)
{
	struct trace_cursor cursor = { { 0 } };
	u64 seen[CONFIG_CPU_MAX] = { 0 }, wrong = 0;
	struct trace_event event, expected;
	u32 hart;

	for (u64 i = 0; i < all; i++) {
		if (trace_read_merged(&cursor, &hart, &event))
			return wrong + 1;
		if (trace_read(hart, seen[hart]++, &expected) || event.word != expected.word)
			wrong++;
		for_each_hart(other, harts_online() & ~hart_bit(hart)) if (!trace_read((u32)other,
										       seen[other],
										       &expected))
			wrong += expected.ticks < event.ticks;
	}
	return wrong + (trace_read_merged(&cursor, &hart, &event) != ERR_NOENT);
}

SELFTEST(smp_trace_merged,
	 "events of all harts come by time, each once, and each hart's in its order")
{
	u64 all = 0;

	NEEDS_HARTS(t);
	storm(t, run_events, NULL);
	trace_set(false);
	for_each_hart(i, harts_online()) all += trace_count((u32)i);
	CHECK(t, all > 8);
	CHECK_EQ(t, out_of_order(all), 0);
	trace_set(true);
}
