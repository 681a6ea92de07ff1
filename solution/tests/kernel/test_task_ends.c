/*
 * Ending a task in each state that it may be in. Whatever it waits for, in whatever timer or group it is:
 * it ends, its joiner gets its result, and nothing that was armed for it comes later.
 */
#include <mazu/selftest.h>
#include <mazu/task.h>
#include <mazu/time.h>

#define ABOVE 5
#define NEVER_NS UINT64_MAX

static u64 run_nothing(void *arg)
{
	return (uptr)arg;
}

static u64 run_spins(void *arg)
{
	(void)arg;
	for (;;)
		barrier();
	return 0;
}

static u64 run_sleeps(void *arg)
{
	return task_sleep((uptr)arg);
}

static u64 run_sleeps_until(void *arg)
{
	return task_sleep_until((uptr)arg);
}

static u64 run_parks_until(void *arg)
{
	return task_park_until((uptr)arg);
}

static u64 run_waits_for_period(void *arg)
{
	(void)arg;
	return task_next_period();
}

static u64 run_kills_itself(void *arg)
{
	(void)arg;
	task_kill(task_current());
	if (!task_is_killed())
		return 1;
	return task_sleep(1);
}

static struct task_attributes helper(struct sched_params params)
{
	return (struct task_attributes){ .name = STR("helper"),
					 .params = params,
					 .kill_anywhere = true };
}

static const struct sched_params above = { .policy = SCHED_FIFO, .priority = ABOVE };

/* Lets it come to where it waits, ends it there, and stays until whatever it left behind would have come. */
static void end_there(struct selftest *t, const struct task_attributes *attributes,
		      u64 (*run)(void *), void *arg, u64 result)
{
	struct result_task task = task_create(attributes, run, arg);

	REQUIRE(t, !task.err);
	CHECK(t, !task_sleep(5 * NS_PER_MS));
	task_kill(task.value);
	task_kill(task.value);
	CHECK_EQ(t, task_join(task.value).value, result);
	CHECK(t, !task_sleep(30 * NS_PER_MS));
}

SELFTEST(end_asleep, "a killed task's sleep ends, however long it is")
{
	struct task_attributes attributes = helper(above);

	end_there(t, &attributes, run_sleeps, (void *)(20 * NS_PER_MS), ERR_INTR);
	end_there(t, &attributes, run_sleeps, (void *)NEVER_NS, ERR_INTR);
	end_there(t, &attributes, run_sleeps_until, (void *)NEVER_NS, ERR_INTR);
	end_there(t, &attributes, run_parks_until, (void *)(NEVER_NS - 1), ERR_INTR);
}

SELFTEST(end_before_release, "a task that is killed before its first release never begins")
{
	struct task_attributes attributes = helper(above);

	attributes.params.first_ns = time_now_ns() + 20 * NS_PER_MS;
	end_there(t, &attributes, run_nothing, NULL, TASK_KILLED);
	attributes.params.first_ns = NEVER_NS;
	end_there(t, &attributes, run_nothing, NULL, TASK_KILLED);
}

SELFTEST(end_before_release_late, "nor does one whose release comes when it is ready to end")
{
	struct task_attributes attributes = helper((struct sched_params){ .policy = SCHED_OTHER });
	u64 release = time_now_ns() + 2 * NS_PER_MS;
	struct result_task task;

	attributes.params.first_ns = release;
	task = task_create(&attributes, run_nothing, NULL);
	REQUIRE(t, !task.err);
	task_kill(task.value);
	while (time_now_ns() < release + NS_PER_MS)
		barrier();
	CHECK_EQ(t, task_join(task.value).value, TASK_KILLED);
}

SELFTEST(end_between_jobs, "nor does one wait for its next period")
{
	struct task_attributes attributes = helper(above);

	attributes.params.period_ns = 20 * NS_PER_MS;
	end_there(t, &attributes, run_waits_for_period, NULL, ERR_INTR);
	attributes.params.period_ns = 1UL << 42;
	end_there(t, &attributes, run_waits_for_period, NULL, ERR_INTR);
}

SELFTEST(end_itself, "a task may kill itself; what it waits for next ends at once")
{
	struct task_attributes attributes = helper(above);

	attributes.kill_anywhere = false;
	end_there(t, &attributes, run_kills_itself, NULL, ERR_INTR);
}

SELFTEST(end_ready, "a task that is ready and has no turn ends when it gets one")
{
	struct task_attributes attributes = helper((struct sched_params){ .policy = SCHED_OTHER });

	end_there(t, &attributes, run_spins, NULL, TASK_KILLED);
	attributes = helper((struct sched_params){ .policy = SCHED_RR });
	end_there(t, &attributes, run_spins, NULL, TASK_KILLED);
}

SELFTEST(end_throttled, "one that has used up its budget ends within its period")
{
	struct task_attributes attributes = helper((struct sched_params){
		.policy = SCHED_DEADLINE, .runtime_ns = NS_PER_MS, .period_ns = 20 * NS_PER_MS });
	u64 before = time_now_ns();

	end_there(t, &attributes, run_spins, NULL, TASK_KILLED);
	CHECK_TIMED(t, time_now_ns() - before <= (20 + 30 + 1) * NS_PER_MS);
	attributes.params.policy = SCHED_FIFO;
	attributes.params.priority = ABOVE;
	end_there(t, &attributes, run_spins, NULL, TASK_KILLED);
}

SELFTEST(end_in_domain, "so does one whose domain has used up its budget; then the domain can go")
{
	struct result_domain domain = sched_domain_create(STR("test"), NS_PER_MS, 20 * NS_PER_MS);
	struct task_attributes attributes = helper(above);
	struct result_task task;

	REQUIRE(t, !domain.err);
	attributes.domain = domain.value;
	task = task_create(&attributes, run_spins, NULL);
	if (!task.err) {
		CHECK(t, !task_sleep(5 * NS_PER_MS));
		CHECK_EQ(t, sched_domain_destroy(domain.value), ERR_BUSY);
		task_kill(task.value);
		CHECK_EQ(t, task_join(task.value).value, TASK_KILLED);
	}
	CHECK_EQ(t, sched_domain_destroy(domain.value), OK); /* exhausted: its refill is armed */
	CHECK(t, !task_sleep(30 * NS_PER_MS));
}

static u64 run_joins(void *arg)
{
	return task_join(arg).err;
}

SELFTEST(end_joining, "who may be killed anywhere waits for another's end all the same")
{
	struct task_attributes attributes = helper(above);
	struct result_task task = task_create(&attributes, run_sleeps, (void *)NEVER_NS);
	struct result_task joiner = { .err = ERR_NOMEM };

	REQUIRE(t, !task.err);
	joiner = task_create(&attributes, run_joins, task.value);
	if (joiner.err) {
		task_kill(task.value);
		CHECK(t, !task_join(task.value).err);
		return;
	}
	for (u32 i = 0; i < 100; i++) {
		task_kill(joiner.value);
		CHECK(t, !task_sleep(10000));
	}
	CHECK_EQ(t, task_join(task.value).err, ERR_BUSY);
	task_kill(task.value);
	CHECK(t, !task_join(joiner.value).err);
}

SELFTEST(end_nobody, "what is not a task cannot be made or ended")
{
	struct task_attributes attributes = helper(above);
	struct sched_info info;

	CHECK_EQ(t, task_create(&attributes, NULL, NULL).err, ERR_INVAL);
	CHECK_EQ(t, task_kill_id(UINT32_MAX), ERR_NOENT);
	CHECK_EQ(t, sched_info(CONFIG_CPU_MAX, &info), ERR_RANGE);
	CHECK_EQ(t, sched_info(UINT32_MAX, &info), ERR_RANGE);
	CHECK_EQ(t, sched_domain_create(STR(""), 0, NS_PER_MS).err, ERR_INVAL);
	CHECK_EQ(t, sched_domain_create(STR(""), 1, 1).err, ERR_INVAL);
	CHECK_EQ(t, sched_domain_create(STR(""), 1000, 99999).err, ERR_INVAL);
	CHECK_EQ(t, sched_domain_create(STR(""), NS_PER_MS, UINT64_MAX).err, ERR_INVAL);
	CHECK_EQ(t, sched_domain_create(STR(""), NS_PER_MS + 1, NS_PER_MS).err, ERR_INVAL);
}
