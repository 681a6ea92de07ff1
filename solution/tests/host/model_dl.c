/*
 * model_dl.c - SCHED_DEADLINE against what theory says of it, in random worlds.
 *
 * Task sets are grown until admission refuses, then some tasks do as they should, others whatever they
 * like: never end, sleep for moments in the middle of everything. The first never miss a deadline, and the
 * others never get more than their share. In the release build of these tests all of the hart is
 * given away, so nothing hides a mistake.
 */
#include "random.h"
#include "sched_world.h"

#include <mazu/selftest.h>
#include <mazu/time.h>

#include <stdio.h>

enum kind { PERIODIC, GREEDY, RESTLESS };

#define NS_PER_TICK 100

static struct sched_params deadline_params(u64 runtime, u64 deadline, u64 period)
{
	return (struct sched_params){ .policy = SCHED_DEADLINE,
				      .runtime_ns = runtime * NS_PER_TICK,
				      .deadline_ns = deadline * NS_PER_TICK,
				      .period_ns = period * NS_PER_TICK };
}

/* ---- What tasks do ---- */

static void job_check(struct sim_task *task)
{
	if (rb_before(task->deadline, host_ticks)) {
		task->misses++;
		task->late_max = MAX(task->late_max, host_ticks - task->deadline);
	}
}

static void job_begin(struct sim_task *task)
{
	u64 runtime = task->task.budget.runtime;

	task->deadline = task->release + task->task.budget.deadline;
	task->work = random_below(&sim.seed, 3) ? runtime : 1 + random_u64(&sim.seed) % runtime;
}

/* One job each period, or a bit later; of at most its runtime. */
static void periodic(struct sim_task *task)
{
	u64 period = task->task.budget.period;

	if (!task->jobs++) {
		task->release = host_ticks;
	} else {
		job_check(task);
		task->release += period;
		if (random_below(&sim.seed, 4) == 0)
			task->release += random_u64(&sim.seed) % period;
		/* a release that has passed (it missed) begins at once */
	}
	job_begin(task);
	if (rb_before(host_ticks, task->release))
		sim_sleep_until(task, task->release);
}

static void greedy(struct sim_task *task)
{
	task->jobs++;
	task->work = SIM_FOREVER;
}

/* Runs and sleeps for random moments, mostly short ones, of no plan at all. */
static void restless(struct sim_task *task)
{
	struct budget *budget = &task->task.budget;
	u64 sleep = 1 + random_u64(&sim.seed) %
				(1 + budget->period / (1 + random_below(&sim.seed, 40)));

	task->work = 1 + random_u64(&sim.seed) %
				 (1 + budget->runtime / (1 + random_below(&sim.seed, 4)));
	if (task->jobs++ && random_below(&sim.seed, 8))
		sim_sleep_until(task, host_ticks + sleep);
}

static void (*const done[])(struct sim_task *task) = {
	[PERIODIC] = periodic,
	[GREEDY] = greedy,
	[RESTLESS] = restless,
};

/* ---- Who got how much ---- */

#define SPANS 4096

/* Of one task: when it ran, and how much it had before. */
static struct {
	struct sim_task *task;
	struct {
		u64 from, to, before;
	} spans[SPANS];
	u32 count;
} watched;

static void watch(struct sim_task *task, u64 from)
{
	if (!task || task != watched.task || watched.count == SPANS)
		return;
	watched.spans[watched.count].from = from;
	watched.spans[watched.count].to = host_ticks;
	watched.spans[watched.count].before = task->served - (host_ticks - from);
	watched.count++;
}

/*
 * In no window of length w more than its share of w and two budgets: one that was kept at its
 * beginning, and one that began at its end. The share is compared without rounding.
 */
static bool is_bounded(void)
{
	const struct budget *budget = &watched.task->task.budget;

	for (u32 i = 0; i < watched.count; i++)
		for (u32 j = i; j < watched.count; j++) {
			u64 window = watched.spans[j].to - watched.spans[i].from;
			u64 had = watched.spans[j].before + watched.spans[j].to -
				  watched.spans[j].from - watched.spans[i].before;

			if ((had - MIN(had, (u64)sim.late)) * budget->period >
			    budget->runtime * (window + 2 * budget->period))
				return false;
		}
	return true;
}

/* ---- Random worlds ---- */

static struct sched_params random_params(bool may_be_short)
{
	u64 period = 1000 + random_below(&sim.seed, random_below(&sim.seed, 3) ? 9000 : 99000);
	u64 runtime = 10 + random_u64(&sim.seed) % (period / (2 + random_below(&sim.seed, 12)));
	u64 deadline = period;

	if (may_be_short && random_below(&sim.seed, 2))
		deadline = runtime + random_u64(&sim.seed) % (period - runtime + 1);
	return deadline_params(runtime, deadline, period);
}

/* Tasks until eight in a row were refused. */
static void populate(bool may_be_short, u32 kinds)
{
	u32 refused = 0;

	while (refused < 8 && sim.count < SIM_TASKS) {
		struct sched_params params = random_params(may_be_short);
		enum kind kind = (enum kind)random_below(&sim.seed, kinds);
		struct sim_task *task = sim_task(&params, NULL, done[kind]);

		if (task)
			task->kind = kind;
		else
			refused++;
		if (random_below(&sim.seed, 2))
			sim_run(random_below(&sim.seed, 2000));
	}
}

static u64 misses(void)
{
	u64 sum = 0;

	for (u32 i = 0; i < sim.count; i++)
		if (sim.tasks[i].kind == PERIODIC)
			sum += sim.tasks[i].misses;
	return sum;
}

static u64 jobs(void)
{
	u64 sum = 0;

	for (u32 i = 0; i < sim.count; i++)
		sum += sim.tasks[i].jobs;
	return sum;
}

static bool live(u64 seed, bool may_be_short, u32 kinds)
{
	bool good;

	sim_begin(seed);
	populate(may_be_short, kinds);
	watched.task = &sim.tasks[random_below(&sim.seed, sim.count)];
	watched.count = 0;
	sim.ran = watch;
	sim_run(400000);
	good = misses() == 0 && jobs() > sim.count && is_bounded();
	if (!good)
		printf("# seed %lu: %u tasks, %lu misses, bounded %d\n", seed, sim.count, misses(),
		       is_bounded());
	sim_end();
	return good;
}

SELFTEST(model_dl_periodic, "60 random sets of periodic tasks that were admitted miss no deadline")
{
	for (u64 seed = 1; seed <= 60; seed++)
		REQUIRE(t, live(seed, false, 1));
}

SELFTEST(model_dl_short, "the same with deadlines before the period")
{
	for (u64 seed = 100; seed <= 160; seed++)
		REQUIRE(t, live(seed, true, 1));
}

SELFTEST(model_dl_isolated, "beside tasks that overrun and sleep at will, in 150 sets, nobody else "
			    "misses a deadline, and none of them gets more than its share")
{
	for (u64 seed = 200; seed <= 350; seed++)
		REQUIRE(t, live(seed, false, 3));
}

SELFTEST(model_dl_isolated_short, "the same with deadlines before the period")
{
	for (u64 seed = 400; seed <= 550; seed++)
		REQUIRE(t, live(seed, true, 3));
}

/* ---- Alone on the hart ---- */

static void alone(struct selftest *t, u32 late)
{
	struct sched_params params = deadline_params(300, 1000, 1000);
	struct sim_task *task;
	u64 start;

	sim_begin(7);
	sim.late = late;
	task = sim_task(&params, NULL, greedy);
	REQUIRE(t, task);
	start = host_ticks;
	for (u32 period = 1; period <= 2000; period++) {
		sim_run_until(start + period * 1000 - 500);
		if (!CHECK(t, task->served <= period * 300 + late) ||
		    !CHECK(t, task->served >= period * 300) ||
		    !CHECK_EQ(t, task->task.budget.until - start, period * 1000))
			break;
	}
	CHECK(t, task->task.jobs.throttles >= 1999);
	CHECK_EQ(t, task->task.jobs.overruns, task->task.jobs.throttles);
	sim_end();
}

SELFTEST(model_dl_alone,
	 "who never ends and is alone gets its runtime in each period, to the tick, 2000 times")
{
	alone(t, 0);
}

SELFTEST(model_dl_alone_late,
	 "with interrupts up to 9 ticks late it does so, too, and nothing adds up")
{
	alone(t, 9);
}

SELFTEST(model_dl_overdrawn,
	 "interrupts that are later than a whole budget: the long-term share is kept")
{
	struct sched_params params = deadline_params(12, 1000, 1000);
	struct sim_task *task;

	sim_begin(8);
	sim.late = 60;
	task = sim_task(&params, NULL, greedy);
	REQUIRE(t, task);
	sim_run(1000 * 1000);
	CHECK(t, task->served <= 12 * 1000 + 12 + 60);
	CHECK(t, task->served >= 12 * 1000 - 12 - 60);
	sim_end();
}

/* ---- FIFO and RR ---- */

static void limited(struct selftest *t, enum sched_policy policy)
{
	struct sched_params params = {
		.policy = policy, .priority = 9, .runtime_ns = 20000, .period_ns = 100000
	};
	struct sched_params below = { .policy = SCHED_FIFO, .priority = 1 };
	struct sim_task *task, *other;

	sim_begin(9);
	task = sim_task(&params, NULL, greedy);
	other = sim_task(&below, NULL, greedy);
	REQUIRE(t, task && other);
	watched.task = task;
	watched.count = 0;
	sim.ran = watch;
	sim_run(100000);
	CHECK_EQ(t, task->served, 20000);
	CHECK_EQ(t, other->served, 80000);
	CHECK_EQ(t, task->task.jobs.throttles, 100);
	CHECK(t, is_bounded());
	sim_end();
}

SELFTEST(model_fifo_budget,
	 "a FIFO task with a budget gets that of each period, whoever waits gets the rest")
{
	limited(t, SCHED_FIFO);
}

SELFTEST(model_rr_budget, "and so does an RR task")
{
	limited(t, SCHED_RR);
}
