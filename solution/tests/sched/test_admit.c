/*
 * Admission to SCHED_DEADLINE: who fits beside whom.
 */
#include "../../kernel/sched/runqueue.h"

#include <mazu/selftest.h>

#define MS 1000000UL
#define PERCENT ((u64)CONFIG_SCHED_DL_UTIL_THRESHOLD)

/* In 2^-20, as admission counts. */
#define GRANTED ((PERCENT << 20) / 100)

static struct dl_demand demands[256];

static void demand(u32 index, u64 runtime, u64 deadline, u64 period)
{
	demands[index] = (struct dl_demand){ runtime, deadline, period };
}

/* `count` times the same. */
static enum error admit_same(u32 count, u64 runtime, u64 deadline, u64 period)
{
	for (u32 i = 0; i < count; i++)
		demand(i, runtime, deadline, period);
	return dl_admit(demands, count);
}

SELFTEST(admit_none, "no reservation at all is admitted")
{
	CHECK_EQ(t, dl_admit(demands, 0), OK);
}

SELFTEST(admit_twenty, "twenty tasks of a twentieth of the threshold are admitted, one more is not")
{
	u64 runtime = PERCENT * MS / 20 / 100;

	CHECK_EQ(t, admit_same(20, runtime, MS, MS), OK);
	CHECK_EQ(t, admit_same(21, runtime, MS, MS), ERR_BUSY);
	CHECK_EQ(t, admit_same(20, runtime + 2, MS, MS), ERR_BUSY);
}

SELFTEST(admit_edge, "what is exactly granted is admitted, 2^-20 more is not")
{
	u64 period = 1UL << 20;

	CHECK_EQ(t, admit_same(1, GRANTED, period, period), OK);
	CHECK_EQ(t, admit_same(1, GRANTED + 1, period, period), ERR_BUSY);
	demand(0, GRANTED - 1000, period, period);
	demand(1, 1000, period, period);
	CHECK_EQ(t, dl_admit(demands, 2), OK);
	demand(1, 1001, period, period);
	CHECK_EQ(t, dl_admit(demands, 2), ERR_BUSY);
}

SELFTEST(admit_rounds_each_down, "shares are rounded down one by one")
{
	/* 1/3 of 2^20 is 349525 and a third: three are one less than all */
	u64 rest = GRANTED - 2 * 349525;

	demand(0, MS, 3 * MS, 3 * MS);
	demand(1, MS, 3 * MS, 3 * MS);
	demand(2, rest, 1 << 20, 1 << 20);
	CHECK_EQ(t, dl_admit(demands, 3), OK);
	demand(2, rest + 1, 1 << 20, 1 << 20);
	CHECK_EQ(t, dl_admit(demands, 3), ERR_BUSY);
}

SELFTEST(admit_short_deadline,
	 "a deadline before the period needs its share sooner: exact edge of one task")
{
	u64 deadline = 10 * MS, most = deadline * PERCENT / 100;

	CHECK_EQ(t, admit_same(1, most, deadline, 100 * MS), OK);
	CHECK_EQ(t, admit_same(1, most + 1, deadline, 100 * MS), ERR_BUSY);
	CHECK_EQ(t, admit_same(10, most / 10, deadline, 100 * MS), OK);
	CHECK_EQ(t, admit_same(10, most / 10 + 1, deadline, 100 * MS), ERR_BUSY);
}

SELFTEST(admit_apart, "two short deadlines that are far apart fit, though their densities do not")
{
	demand(0, 8 * MS, 10 * MS, 1000 * MS);
	demand(1, 40 * MS, 100 * MS, 1000 * MS); /* 80 % and 40 % */
	CHECK_EQ(t, dl_admit(demands, 2), OK);
	demand(1, (PERCENT - 8) * MS, 100 * MS, 1000 * MS);
	CHECK_EQ(t, dl_admit(demands, 2), ERR_BUSY);
}

SELFTEST(admit_any_order, "the order of the reservations does not matter")
{
	for (u32 turn = 0; turn < 3; turn++) {
		demand(turn, 8 * MS, 10 * MS, 1000 * MS);
		demand((turn + 1) % 3, 40 * MS, 100 * MS, 1000 * MS);
		demand((turn + 2) % 3, 10 * MS, 100 * MS, 100 * MS);
		CHECK_EQ(t, dl_admit(demands, 3), OK);
		demand((turn + 2) % 3, 21 * MS, 100 * MS, 100 * MS);
		CHECK_EQ(t, dl_admit(demands, 3), ERR_BUSY);
	}
}

SELFTEST(admit_shares_count,
	 "a task whose deadline is its period uses its share in a short window, too")
{
	demand(0, 50 * MS, 100 * MS, 100 * MS); /* half of all 10 ms, as it may have slept */
	demand(1, 4 * MS, 10 * MS, 1000 * MS);
	CHECK_EQ(t, dl_admit(demands, 2), OK);
	demand(1, 6 * MS, 10 * MS, 1000 * MS);
	CHECK_EQ(t, dl_admit(demands, 2), ERR_BUSY);
}

SELFTEST(admit_huge,
	 "no time is too long to be counted right, and what cannot be counted is refused")
{
	u64 long_time = (1UL << 43) - 1;

	CHECK_EQ(t, admit_same(1, long_time / 100 * (PERCENT - 1), long_time, long_time), OK);
	CHECK_EQ(t, admit_same(1, long_time / 100 * (PERCENT + 1), long_time, long_time), ERR_BUSY);
	CHECK_EQ(t, admit_same(3, long_time / 100 * (PERCENT / 3), long_time - 1, long_time), OK);
	CHECK_EQ(t, admit_same(3, long_time / 100 * (PERCENT / 3 + 1), long_time - 1, long_time),
		 ERR_BUSY);
	CHECK_EQ(t, admit_same(CONFIG_SCHED_DL_TASKS, long_time / 2, long_time - 1, long_time),
		 ERR_BUSY);
	CHECK_EQ(t, admit_same(1, 1, UINT64_MAX, UINT64_MAX), ERR_BUSY);
	CHECK_EQ(t, admit_same(1, UINT64_MAX, UINT64_MAX, UINT64_MAX), ERR_BUSY);
	CHECK_EQ(t, admit_same(1, 1, 1, 1), PERCENT < 100 ? ERR_BUSY : OK);
}

SELFTEST(admit_changes_nothing, "asking changes no reservation, whatever the answer")
{
	struct dl_demand before[3];

	demand(0, MS, 5 * MS, 10 * MS);
	demand(1, MS, 10 * MS, 10 * MS);
	demand(2, 9 * MS, 10 * MS, 10 * MS);
	for (u32 i = 0; i < 3; i++)
		before[i] = demands[i];
	CHECK_EQ(t, dl_admit(demands, 2), OK);
	CHECK_EQ(t, dl_admit(demands, 3), ERR_BUSY);
	for (u32 i = 0; i < 3; i++)
		CHECK(t, before[i].runtime_ns == demands[i].runtime_ns &&
				 before[i].deadline_ns == demands[i].deadline_ns &&
				 before[i].period_ns == demands[i].period_ns);
}
