/*
 * Parameters of tasks: what is refused, what is admitted, and what a change does at once.
 */
#include "reservations.h"

#include <mazu/preempt.h>
#include <mazu/selftest.h>
#include <mazu/task.h>
#include <mazu/time.h>

#define ABOVE 5

static volatile u32 steps;

static u64 run_once(void *arg)
{
	steps++;
	return (uptr)arg;
}

SELFTEST(params_refused, "parameters that make no sense are refused, and nothing changes")
{
	static const struct {
		struct sched_params params;
		enum error err;
	} cases[] = {
		{ { .policy = SCHED_FIFO, .priority = CONFIG_SCHED_NPRIO }, ERR_RANGE },
		{ { .policy = SCHED_RR, .priority = UINT32_MAX }, ERR_RANGE },
		{ { .policy = SCHED_OTHER, .nice = 20 }, ERR_RANGE },
		{ { .policy = SCHED_OTHER, .nice = -21 }, ERR_RANGE },
		{ { .policy = (enum sched_policy)3 }, ERR_INVAL },
		{ { .policy = SCHED_DEADLINE }, ERR_INVAL },
		{ { .policy = SCHED_DEADLINE, .runtime_ns = 2000, .period_ns = 1000 }, ERR_INVAL },
		{ { .policy = SCHED_DEADLINE,
		    .runtime_ns = 2000,
		    .deadline_ns = 9000,
		    .period_ns = 8000 },
		  ERR_INVAL },
		{ { .policy = SCHED_DEADLINE,
		    .runtime_ns = 3000,
		    .deadline_ns = 2000,
		    .period_ns = 8000 },
		  ERR_INVAL },
		{ { .policy = SCHED_DEADLINE, .runtime_ns = 1, .period_ns = 8000 }, ERR_INVAL },
		{ { .policy = SCHED_DEADLINE, .runtime_ns = UINT64_MAX, .period_ns = UINT64_MAX },
		  ERR_INVAL },
		{ { .policy = SCHED_FIFO, .runtime_ns = 2000 }, ERR_INVAL },
		{ { .policy = SCHED_FIFO, .criticality = CRIT_HI }, ERR_INVAL },
	};
	struct sched_params before, after;

	sched_get(task_current(), &before);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		CHECK_EQ(t, sched_set(task_current(), &cases[i].params), cases[i].err);
	sched_get(task_current(), &after);
	CHECK_EQ(t, after.policy, before.policy);
	CHECK_EQ(t, after.priority, before.priority);
}

SELFTEST(params_admission,
	 "a reservation beyond the hart is refused; one that was given up can be had again")
{
	struct sched_params sixty = { .policy = SCHED_DEADLINE,
				      .runtime_ns = 6 * NS_PER_MS,
				      .period_ns = 10 * NS_PER_MS };
	struct task_attributes attributes = { .name = STR("reserved"), .params = sixty };
	struct result_task first, second;

	CHECK(t, reservations_await_none());
	first = task_create(&attributes, run_once, NULL);
	REQUIRE(t, !first.err);
	second = task_create(&attributes, run_once, NULL);
	CHECK(t, second.err == ERR_BUSY || second.err == ERR_NOMEM);
	CHECK(t, !task_join(first.value).err);
	CHECK(t, reservations_await_none());
	second = task_create(&attributes, run_once, NULL);
	if (!second.err)
		CHECK(t, !task_join(second.value).err);
	CHECK(t, second.err == OK || second.err == ERR_NOMEM);
}

SELFTEST(params_lower, "a task that makes itself less urgent loses the hart at once")
{
	struct sched_params high = { .policy = SCHED_FIFO, .priority = ABOVE + 1 }, old;
	struct result_task task;

	sched_get(task_current(), &old);
	REQUIRE(t, !sched_set(task_current(), &high));
	steps = 0;
	task = task_create(
		&(struct task_attributes){ .params = { .policy = SCHED_FIFO, .priority = ABOVE } },
		run_once, NULL);
	CHECK_EQ(t, steps, 0);
	CHECK(t, !sched_set(task_current(), &old));
	CHECK(t, task.err || steps == 1);
	if (!task.err)
		CHECK(t, !task_join(task.value).err);
}

static u64 run_parks(void *arg)
{
	(void)arg;
	while (!task_park())
		steps++;
	return 0;
}

SELFTEST(params_lower_in_time,
	 "who was woken and is made less urgent before the switch does not get it")
{
	struct sched_params high = { .policy = SCHED_FIFO, .priority = ABOVE }, old;
	struct task_attributes attributes = {
		.name = STR("woken"), .params = { .policy = SCHED_FIFO, .priority = ABOVE + 1 }
	};
	struct result_task task = task_create(&attributes, run_parks, NULL);

	REQUIRE(t, !task.err);
	sched_get(task_current(), &old);
	CHECK(t, !sched_set(task_current(), &high));
	steps = 0;
	preempt_disable();
	task_unpark(task.value);
	CHECK(t, !sched_set(task.value, &old));
	preempt_enable();
	CHECK_EQ(t, steps, 0);
	CHECK(t, !sched_set(task_current(), &old));
	task_yield();
	CHECK_EQ(t, steps, 1);
	task_kill(task.value);
	CHECK(t, !task_join(task.value).err);
}

/* ---- The edges ---- */

#define DL(runtime, deadline, period)                                                              \
	{                                                                                          \
		.policy = SCHED_DEADLINE, .runtime_ns = (runtime), .deadline_ns = (deadline),      \
		.period_ns = (period)                                                              \
	}

SELFTEST(params_edges, "the shortest budget, period and quantum and the longest period pass; a "
		       "step beyond does not")
{
	static const struct {
		struct sched_params params;
		enum error err;
	} cases[] = {
		{ DL(1000, 1000, 100000), OK },
		{ DL(999, 1000, 100000), ERR_INVAL },
		{ DL(1000, 1000, 99999), ERR_INVAL },
		{ DL(1000, 0, 1UL << 42), OK },
		{ DL(1UL << 42, 1UL << 42, 1UL << 42), OK },
		{ DL(1000, 0, (1UL << 42) + 1), ERR_INVAL },
		{ DL(UINT64_MAX, 0, 100000), ERR_INVAL },
		{ DL(1000, UINT64_MAX, 100000), ERR_INVAL },
		{ DL(1000, 0, UINT64_MAX), ERR_INVAL },
		{ { .policy = SCHED_RR, .quantum_ns = 10000 }, OK },
		{ { .policy = SCHED_RR, .quantum_ns = 9999 }, ERR_INVAL },
		{ { .policy = SCHED_RR, .quantum_ns = 1 }, ERR_INVAL },
		{ { .policy = SCHED_RR, .quantum_ns = UINT64_MAX }, OK },
		{ { .policy = SCHED_FIFO, .runtime_ns = 1000, .period_ns = 99999 }, ERR_INVAL },
		{ { .policy = SCHED_FIFO, .period_ns = 1 }, OK },
		{ { .policy = SCHED_OTHER, .deadline_ns = 1 }, ERR_INVAL },
		{ { .policy = SCHED_OTHER, .nice = INT32_MIN }, ERR_RANGE },
		{ { .policy = SCHED_FIFO, .priority = CONFIG_SCHED_NPRIO - 1 }, OK },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		CHECK_EQ(t, sched_params_check(&cases[i].params), cases[i].err);
}

SELFTEST(params_hi_budget,
	 "a HI budget that does not fit is refused, also where its sum would wrap around")
{
	struct sched_params params = { .policy = SCHED_DEADLINE,
				       .criticality = CRIT_HI,
				       .period_ns = 10 * NS_PER_MS };

	if (!IS_ENABLED(CONFIG_MIXED_CRIT))
		SKIP(t, "CONFIG_MIXED_CRIT is off");
	params.runtime_ns = 10 * NS_PER_MS;
	params.runtime_hi_ns = 10 * NS_PER_MS + 1;
	CHECK_EQ(t, sched_params_check(&params), ERR_INVAL);
	params.runtime_hi_ns = 10 * NS_PER_MS - 1; /* less than its LO budget */
	CHECK_EQ(t, sched_params_check(&params), ERR_INVAL);
	params.runtime_hi_ns = 0;
	/* with 100 per cent more: r + r * 100 / 100 is 2 r, but for the product that wraps around */
	for (u32 i = 0; i < 64; i++) {
		params.runtime_ns = UINT64_MAX - (UINT64_MAX / 200 - i * NS_PER_MS / 8);
		CHECK_EQ(t, sched_params_check(&params), ERR_INVAL);
	}
}

SELFTEST(params_unused, "what a policy does not use may be anything")
{
	struct task_attributes attributes = {
		.name = STR("any"),
		.params = { .policy = SCHED_OTHER,
			    .priority = UINT32_MAX,
			    .quantum_ns = 1,
			    .first_ns = 1 },
	};
	struct result_task task = task_create(&attributes, run_once, (void *)7);

	REQUIRE(t, !task.err);
	CHECK_EQ(t, task_join(task.value).value, 7);
}

/* ---- What was reserved a moment ago ---- */

static u64 run_hog(void *arg)
{
	(void)arg;
	for (;;)
		barrier();
	return 0;
}

/* Three milliseconds. */
static u64 run_awhile(void *arg)
{
	u64 end = time_now_ns() + 3 * NS_PER_MS;

	while (time_now_ns() < end)
		barrier();
	return (uptr)arg;
}

/* Whether there would be room for one more. */
static bool has_room(u64 runtime_ns, u64 period_ns)
{
	struct task_attributes attributes = { .name = STR("probe"),
					      .params = DL(runtime_ns, 0, period_ns) };
	struct result_task task;

	attributes.params.first_ns = time_now_ns() + NS_PER_MS; /* it never begins */
	task = task_create(&attributes, run_once, NULL);
	if (task.err)
		return task.err == ERR_NOMEM;
	task_kill(task.value);
	return !task_join(task.value).err && !task_sleep(period_ns + NS_PER_MS);
}

static struct result_task reserve(struct sched_params params)
{
	struct task_attributes attributes = { .name = STR("reserved"),
					      .params = params,
					      .kill_anywhere = true };

	return task_create(&attributes, run_hog, NULL);
}

SELFTEST(params_less,
	 "who asks for less has used what it had: nobody else gets it before the deadline")
{
	struct sched_params less = DL(NS_PER_MS / 10, 0, 10 * NS_PER_MS);
	struct result_task task;

	CHECK(t, reservations_await_none());
	task = reserve((struct sched_params)DL(9 * NS_PER_MS, 0, 10 * NS_PER_MS));
	REQUIRE(t, !task.err);
	CHECK(t, !task_sleep(9 * NS_PER_MS + NS_PER_MS / 2));
	CHECK_EQ(t, sched_set(task.value, &less), OK);
	CHECK_TIMED(t, !has_room(8 * NS_PER_MS / 10, NS_PER_MS));
	CHECK(t, !task_sleep(NS_PER_MS));
	CHECK_TIMED(t, has_room(8 * NS_PER_MS / 10, NS_PER_MS));
	task_kill(task.value);
	CHECK(t, !task_join(task.value).err);
	CHECK(t, !task_sleep(10 * NS_PER_MS));
}

SELFTEST(params_ended_early, "what a task with a short deadline used counts for its whole period, "
			     "when it has ended, too")
{
	struct task_attributes attributes = {
		.name = STR("early"), .params = DL(4 * NS_PER_MS, 5 * NS_PER_MS, 10 * NS_PER_MS)
	};
	struct result_task task;

	CHECK(t, reservations_await_none());
	task = task_create(&attributes, run_awhile, NULL);
	REQUIRE(t, !task.err);
	CHECK(t, !task_join(task.value).err);
	CHECK(t, !task_sleep(3 * NS_PER_MS)); /* its deadline has passed, its period has not */
	CHECK_TIMED(t, !has_room(9 * NS_PER_MS, 10 * NS_PER_MS));
	CHECK(t, !task_sleep(5 * NS_PER_MS));
	CHECK_TIMED(t, has_room(9 * NS_PER_MS, 10 * NS_PER_MS));
}

SELFTEST(params_of_the_dead, "a task that ended takes no parameters, and keeps no reservation")
{
	struct task_attributes attributes = {
		.name = STR("dead"), .params = { .policy = SCHED_FIFO, .priority = ABOVE }
	};
	struct sched_params reserved = DL(NS_PER_MS, 0, 10 * NS_PER_MS);
	struct result_task task = task_create(&attributes, run_once, NULL);
	struct sched_info before, after;

	REQUIRE(t, !task.err);
	CHECK(t, !sched_info(0, &before));
	CHECK_EQ(t, sched_set(task.value, &reserved), ERR_NOENT);
	CHECK(t, !sched_info(0, &after));
	CHECK_EQ(t, after.bandwidth, before.bandwidth);
	CHECK(t, !task_join(task.value).err);
}
