/*
 * Policies on the machine: budgets that nobody can exceed, shares that come out as they should,
 * deadlines that are met beside those who misbehave. The rules themselves are tested with a clock of
 * their own (tests/sched); here the timer, the switch and the charges must keep up with them.
 *
 * The test's own task is more urgent than what it watches, except for SCHED_DEADLINE tasks.
 */
#include "reservations.h"

#include <mazu/atomic.h>
#include <mazu/selftest.h>
#include <mazu/task.h>
#include <mazu/time.h>

#define MS NS_PER_MS
#define CREW_MAX 24

static struct {
	struct task *tasks[CREW_MAX];
	u32 count;
	struct sched_params before;
} crew;

static void crew_begin(struct selftest *t)
{
	struct sched_params watch = { .policy = SCHED_FIFO, .priority = 25 };

	CHECK(t, reservations_await_none());
	crew.count = 0;
	sched_get(task_current(), &crew.before);
	CHECK(t, !sched_set(task_current(), &watch));
}

static bool crew_join(struct result_task task)
{
	if (task.err)
		return false;
	crew.tasks[crew.count++] = task.value;
	return true;
}

/* False: there is no memory for one more. */
static bool crew_add(u64 (*run)(void *), struct sched_params params, struct sched_domain *domain)
{
	struct task_attributes attributes = {
		.name = STR("crew"),
		.params = params,
		.domain = domain,
		.kill_anywhere = true,
	};

	return crew_join(task_create(&attributes, run, NULL));
}

static struct task_info info_of(u32 index)
{
	struct task_info info = { .id = 0 };

	return task_info_next(task_id(crew.tasks[index]) - 1, &info) ? (struct task_info){ 0 }
								     : info;
}

/* What of `whole` a member had, in thousandths. */
static u64 share(u32 index, u64 whole_ns)
{
	return info_of(index).run_ns * 1000 / whole_ns;
}

static void crew_end(struct selftest *t)
{
	for (u32 i = 0; i < crew.count; i++)
		task_kill(crew.tasks[i]);
	for (u32 i = 0; i < crew.count; i++)
		CHECK(t, !task_join(crew.tasks[i]).err);
	CHECK(t, !sched_set(task_current(), &crew.before));
	CHECK(t, reservations_await_none());
}

static u64 run_hog(void *arg)
{
	(void)arg;
	for (;;)
		barrier();
	return 0;
}

static u64 run_jobs(void *arg)
{
	(void)arg;
	for (;;) {
		enum error err = task_next_period();

		if (err && err != ERR_TIMEOUT)
			return err;
	}
}

/* ---- Jobs ---- */

#define JOBS 20

static u64 last_job_ns;

static u64 run_some_jobs(void *arg)
{
	(void)arg;
	for (u32 i = 0; i < JOBS; i++) {
		u64 end = time_now_ns() + MS / 3;

		while (time_now_ns() < end)
			barrier();
		if (task_next_period())
			return 1;
		last_job_ns = time_now_ns();
	}
	return 0;
}

SELFTEST(sched_jobs_keep_time,
	 "jobs are released a period after each other, whenever the last one ended")
{
	u64 first = time_now_ns() + MS;

	crew_begin(t);
	if (crew_add(run_some_jobs,
		     (struct sched_params){ .policy = SCHED_FIFO,
					    .priority = 20,
					    .period_ns = MS,
					    .first_ns = first },
		     NULL)) {
		CHECK(t, !task_sleep((JOBS + 5) * MS));
		CHECK_TIMED_EQ(t, (last_job_ns - first) / (MS / 10), JOBS * 10);
		CHECK_TIMED_EQ(t, info_of(0).jobs, JOBS);
		CHECK_TIMED_EQ(t, info_of(0).misses, 0);
	}
	crew_end(t);
}

/* ---- Budgets ---- */

SELFTEST(sched_lone_overrunner,
	 "a SCHED_DEADLINE task that never waits gets its budget and no more, also alone")
{
	crew_begin(t);
	if (crew_add(run_hog,
		     (struct sched_params){
			     .policy = SCHED_DEADLINE, .runtime_ns = 2 * MS, .period_ns = 10 * MS },
		     NULL)) {
		CHECK(t, !task_sleep(100 * MS));
		CHECK_TIMED(t, share(0, 100 * MS) >= 199 && share(0, 100 * MS) <= 221);
		CHECK_TIMED(t, info_of(0).throttles >= 9 && info_of(0).overruns >= 9);
	}
	crew_end(t);
}

SELFTEST(sched_fixed_budget, "a SCHED_FIFO task with a budget is held when it is used up")
{
	crew_begin(t);
	if (crew_add(run_hog,
		     (struct sched_params){ .policy = SCHED_FIFO,
					    .priority = 10,
					    .runtime_ns = 1 * MS,
					    .period_ns = 10 * MS },
		     NULL) &&
	    crew_add(run_hog, (struct sched_params){ .policy = SCHED_FIFO, .priority = 9 }, NULL)) {
		CHECK(t, !task_sleep(100 * MS));
		CHECK_TIMED(t, share(0, 100 * MS) >= 99 && share(0, 100 * MS) <= 111);
		CHECK_TIMED(t, share(1, 100 * MS) >= 880);
	}
	crew_end(t);
}

/* Half a millisecond at a time, with the shortest of naps between. */
static u64 run_naps(void *arg)
{
	(void)arg;
	for (;;) {
		u64 end = time_now_ns() + MS / 2;

		while (time_now_ns() < end)
			barrier();
		if (task_sleep(1000))
			return 0;
	}
}

SELFTEST(sched_naps,
	 "who waits before a budget is used up has used what it used: a task's, and a domain's")
{
	struct result_domain domain = sched_domain_create(STR("naps"), 3 * MS, 10 * MS);

	if (domain.err)
		return;
	crew_begin(t);
	if (crew_add(run_naps,
		     (struct sched_params){
			     .policy = SCHED_DEADLINE, .runtime_ns = 2 * MS, .period_ns = 10 * MS },
		     NULL) &&
	    crew_add(run_naps, (struct sched_params){ .policy = SCHED_FIFO, .priority = 10 },
		     domain.value)) {
		CHECK(t, !task_sleep(100 * MS));
		CHECK_TIMED(t, share(0, 100 * MS) >= 180 && share(0, 100 * MS) <= 221);
		CHECK_TIMED(t, share(1, 100 * MS) >= 270 && share(1, 100 * MS) <= 331);
	}
	crew_end(t);
	CHECK_EQ(t, sched_domain_destroy(domain.value), OK);
}

SELFTEST(sched_isolation,
	 "an overrunner and a task that never yields cost an admitted task no deadline")
{
	crew_begin(t);
	if (crew_add(run_jobs,
		     (struct sched_params){
			     .policy = SCHED_DEADLINE, .runtime_ns = 1 * MS, .period_ns = 5 * MS },
		     NULL) &&
	    crew_add(run_hog,
		     (struct sched_params){
			     .policy = SCHED_DEADLINE, .runtime_ns = 7 * MS, .period_ns = 10 * MS },
		     NULL) &&
	    crew_add(run_hog, (struct sched_params){ .policy = SCHED_FIFO, .priority = 20 },
		     NULL)) {
		CHECK(t, !task_sleep(200 * MS));
		CHECK_TIMED(t, info_of(0).jobs >= 39);
		CHECK_TIMED_EQ(t, info_of(0).misses, 0);
		CHECK_TIMED(t, share(2, 200 * MS) >= 280);
	}
	crew_end(t);
}

SELFTEST(sched_domain_budget, "the tasks of a domain together get its budget")
{
	struct result_domain domain = sched_domain_create(STR("test"), 2 * MS, 10 * MS);

	if (domain.err)
		return;
	crew_begin(t);
	if (crew_add(run_hog, (struct sched_params){ .policy = SCHED_FIFO, .priority = 9 },
		     domain.value) &&
	    crew_add(run_hog, (struct sched_params){ .policy = SCHED_OTHER }, domain.value) &&
	    crew_add(run_hog, (struct sched_params){ .policy = SCHED_OTHER }, NULL)) {
		CHECK(t, !task_sleep(100 * MS));
		CHECK_TIMED(t, share(0, 100 * MS) + share(1, 100 * MS) <= 225);
		CHECK_TIMED(t, share(2, 100 * MS) >= 770);
	}
	crew_end(t);
	CHECK_EQ(t, sched_domain_destroy(domain.value), OK);
}

/* ---- Shares ---- */

SELFTEST(sched_fair_shares, "ordinary tasks get the hart in proportion to their weights")
{
	crew_begin(t);
	if (crew_add(run_hog, (struct sched_params){ .policy = SCHED_OTHER, .nice = 0 }, NULL) &&
	    crew_add(run_hog, (struct sched_params){ .policy = SCHED_OTHER, .nice = 0 }, NULL) &&
	    crew_add(run_hog, (struct sched_params){ .policy = SCHED_OTHER, .nice = 5 }, NULL)) {
		CHECK(t, !task_sleep(700 * MS));
		/* 1024 : 1024 : 335 */
		CHECK_TIMED(t, share(0, 700 * MS) >= 420 && share(0, 700 * MS) <= 440);
		CHECK_TIMED(t, share(1, 700 * MS) >= 420 && share(1, 700 * MS) <= 440);
		CHECK_TIMED(t, share(2, 700 * MS) >= 133 && share(2, 700 * MS) <= 148);
	}
	crew_end(t);
}

/* ---- Criticality ---- */

SELFTEST(sched_mode, "a HI task beyond its LO budget holds LO tasks back, until it waits")
{
	struct sched_info before, after;

	if (!IS_ENABLED(CONFIG_MIXED_CRIT))
		SKIP(t, "CONFIG_MIXED_CRIT is off");
	crew_begin(t);
	CHECK(t, !sched_info(0, &before));
	if (crew_add(run_hog,
		     (struct sched_params){ .policy = SCHED_FIFO,
					    .priority = 10,
					    .runtime_ns = 2 * MS,
					    .runtime_hi_ns = 4 * MS,
					    .period_ns = 20 * MS,
					    .criticality = CRIT_HI },
		     NULL) &&
	    crew_add(run_hog,
		     (struct sched_params){ .policy = SCHED_FIFO,
					    .priority = 12,
					    .runtime_ns = 10 * MS,
					    .period_ns = 20 * MS,
					    .criticality = CRIT_LO },
		     NULL)) {
		CHECK(t, !task_sleep(200 * MS));
		CHECK(t, !sched_info(0, &after));
		CHECK_TIMED(t, after.mode_changes >= before.mode_changes + 18);
		CHECK_TIMED(t, share(0, 200 * MS) >= 195 && share(0, 200 * MS) <= 222);
		CHECK_TIMED(t, share(1, 200 * MS) >= 450);
	}
	crew_end(t);
	CHECK(t, !sched_info(0, &after));
	CHECK_EQ(t, after.mode, CRIT_LO);
}

/* ---- Full ---- */

static u64 run_parks(void *arg)
{
	(void)arg;
	return task_park();
}

/* As many like this as there may be, and one more. */
static void fill(struct selftest *t, const struct task_attributes *attributes, u32 most)
{
	struct task *made[33];
	u32 count = 0;

	while (count <= most) {
		struct result_task task = task_create(attributes, run_parks, NULL);

		if (task.err) {
			CHECK(t, task.err == ERR_NOSPC || task.err == ERR_NOMEM);
			most = task.err == ERR_NOMEM ? count : most;
			break;
		}
		made[count++] = task.value;
	}
	for (u32 i = 0; i < count; i++) {
		task_kill(made[i]);
		CHECK(t, !task_join(made[i]).err);
	}
	CHECK_EQ(t, count, most);
}

SELFTEST(sched_full, "a domain and the LO tasks of a hart are as many as Kconfig says, and no more")
{
	struct task_attributes attributes = { .name = STR("one of many"),
					      .params = { .policy = SCHED_FIFO, .priority = 9 } };
	struct result_domain domain = sched_domain_create(STR("full"), MS, 10 * MS);

	if (domain.err)
		return;
	attributes.domain = domain.value;
	fill(t, &attributes, CONFIG_SCHED_DOMAIN_TASKS);
	attributes.domain = NULL;
	attributes.params.runtime_ns = MS;
	attributes.params.period_ns = 10 * MS;
	attributes.params.criticality = CRIT_LO;
	if (IS_ENABLED(CONFIG_MIXED_CRIT))
		fill(t, &attributes, CONFIG_MIXED_CRIT_LO_TASKS);
	CHECK_EQ(t, sched_domain_destroy(domain.value), OK);
}

/* ---- Twenty tasks at 95 per cent ---- */

/* Uses about `share` of its period and waits for the next. */
static u64 run_nap(void *arg)
{
	(void)arg;
	while (!task_sleep(1000 * MS))
		;
	return 0;
}

static const struct sched_params twenty_fifth = {
	.policy = SCHED_DEADLINE,
	.runtime_ns = 400000,
	.deadline_ns = 9900000,
	.period_ns = 10 * MS,
};

#define NOT_ASKED UINT64_MAX

/* More urgent than whoever asks at this moment: it gets the last of the hart, and keeps it. */
static u64 run_first(void *answer)
{
	if (task_sleep(5000))
		return 1;
	atomic_store_relaxed((u64 *)answer, (u64)sched_set(task_current(), &twenty_fifth));
	return run_nap(NULL);
}

SELFTEST(sched_admission_race,
	 "what is given away while a test for admission runs is not given twice")
{
	struct task_attributes first = {
		.name = STR("first"),
		.params = { .policy = SCHED_FIFO, .priority = 28 },
		.kill_anywhere = true,
	};
	u64 there = NOT_ASKED;
	bool made = true;

	crew_begin(t);
	for (u32 i = 0; made && i < 22; i++)
		made = crew_add(run_nap, twenty_fifth, NULL);
	if (made && crew_join(task_create(&first, run_first, &there))) {
		enum error here = sched_set(task_current(), &twenty_fifth);

		while (atomic_load_relaxed(&there) == NOT_ASKED)
			task_sleep(MS);
		CHECK_TIMED_EQ(t, here, ERR_BUSY);
		CHECK_TIMED_EQ(t, there, OK);
		CHECK(t, (here == OK && there == ERR_BUSY) || (here == ERR_BUSY && there == OK));
	}
	crew_end(t);
}

static u64 run_share(void *arg)
{
	struct sched_params mine;

	(void)arg;
	sched_get(task_current(), &mine);
	for (;;) {
		struct task_info info;
		u64 until;

		if (task_info_next(task_id(task_current()) - 1, &info))
			return 1;
		until = info.run_ns + mine.runtime_ns * 8 / 10;
		do {
			if (task_info_next(task_id(task_current()) - 1, &info))
				return 1;
		} while (info.run_ns < until);
		if (task_next_period() == ERR_INTR)
			return 0;
	}
}

SELFTEST(sched_edf_full, "twenty tasks that reserved 95 % of the hart miss no deadline")
{
	u32 made = 0;

	crew_begin(t);
	for (u32 i = 0; i < 20; i++) {
		u64 period = 10 * MS + i * MS;

		made += crew_add(run_share,
				 (struct sched_params){ .policy = SCHED_DEADLINE,
							.runtime_ns = period * 475 / 10000,
							.period_ns = period },
				 NULL);
	}
	if (made == 20) {
		CHECK(t, !task_sleep(300 * MS));
		for (u32 i = 0; i < 20; i++) {
			CHECK_TIMED(t, info_of(i).jobs >= 8);
			CHECK_TIMED_EQ(t, info_of(i).misses, 0);
		}
	}
	crew_end(t);
}
