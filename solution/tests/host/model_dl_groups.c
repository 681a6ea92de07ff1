/*
 * model_dl_groups.c - domains and mixed criticality, with the scheduler's own core under a clock that the
 * tests move (sched_world.h).
 */
#include "random.h"
#include "sched_world.h"

#include <mazu/selftest.h>
#include <mazu/time.h>

#define NS_PER_TICK 100

static void greedy(struct sim_task *task)
{
	task->work = SIM_FOREVER;
}

static void restless(struct sim_task *task)
{
	task->work = 1 + random_below(&sim.seed, 400);
	if (random_below(&sim.seed, 4))
		sim_sleep_until(task, host_ticks + 1 + random_below(&sim.seed, 900));
}

static struct sim_task *fifo(u32 priority, struct sched_domain *domain,
			     void (*done)(struct sim_task *task))
{
	struct sched_params params = { .policy = SCHED_FIFO, .priority = priority };

	return sim_task(&params, domain, done);
}

/* ---- Domains ---- */

static struct sched_domain *new_domain(u64 budget, u64 period)
{
	struct result_domain domain;

	do {
		domain = sched_domain_create(STR("test"), budget * NS_PER_TICK,
					     period * NS_PER_TICK);
	} while (domain.err == ERR_NOMEM);
	return domain.value;
}

static u64 used(u32 from, u32 to)
{
	u64 sum = 0;

	for (u32 i = from; i < to; i++)
		sum += sim.tasks[i].served;
	return sum;
}

static u32 held(u32 from, u32 to)
{
	u32 count = 0;

	for (u32 i = from; i < to; i++)
		count += sim.tasks[i].task.held != 0;
	return count;
}

static void destroy(struct selftest *t, struct sched_domain *domain)
{
	CHECK_EQ(t, sched_domain_destroy(domain), ERR_BUSY);
	sim_end();
	CHECK_EQ(t, sched_domain_destroy(domain), OK);
}

SELFTEST(model_domain_exact,
	 "members that never end get the domain's budget in each period, together, and "
	 "who is in none gets the rest")
{
	struct sched_domain *domain;
	u64 start;

	sim_begin(1);
	start = host_ticks;
	domain = new_domain(300, 1000);
	for (u32 i = 0; i < CONFIG_SCHED_DOMAIN_TASKS; i++)
		REQUIRE(t, fifo(5 + i % 3, domain, greedy));
	REQUIRE(t, !fifo(5, domain, greedy)); /* full */
	REQUIRE(t, fifo(1, NULL, greedy));
	for (u32 period = 0; period < 200; period++) {
		sim_run_until(start + period * 1000 + 299);
		CHECK_EQ(t, held(0, CONFIG_SCHED_DOMAIN_TASKS), 0);
		sim_run_until(start + period * 1000 + 320);
		CHECK_EQ(t, held(0, CONFIG_SCHED_DOMAIN_TASKS), CONFIG_SCHED_DOMAIN_TASKS);
		CHECK_EQ(t, used(0, CONFIG_SCHED_DOMAIN_TASKS), period * 300 + 300);
	}
	CHECK_EQ(t, sim.tasks[CONFIG_SCHED_DOMAIN_TASKS].served, 199 * 700 + 20);
	destroy(t, domain);
}

SELFTEST(model_domain_random,
	 "members that come and go at random, late interrupts: never more than the budget "
	 "in a period but for what a timer is late, and nothing adds up")
{
	for (u64 seed = 1; seed <= 30; seed++) {
		struct sched_domain *domain;
		u64 start, before = 0, overdraft;

		sim_begin(seed);
		sim.late = 5 * (seed % 2);
		/* late, and again for each batch until the last of them are held */
		overdraft = sim.late ? sim.late + 4 * (sim.late + 1) : 0;
		start = host_ticks;
		domain = new_domain(300, 1000);
		for (u32 i = 0; i < 8; i++)
			REQUIRE(t, fifo(5 + i % 3, domain, restless));
		REQUIRE(t, fifo(7, NULL, restless));
		for (u32 period = 1; period <= 300; period++) {
			sim_run_until(start + period * 1000);
			REQUIRE(t, used(0, 8) - before <= 300 + overdraft);
			REQUIRE(t, used(0, 8) <= period * 300 + overdraft);
			before = used(0, 8);
		}
		CHECK(t, before > 300 * 200);
		destroy(t, domain);
	}
}

SELFTEST(model_domain_join,
	 "who joins a domain that is used up waits with the others; leaving sets free")
{
	struct sched_domain *domain;
	struct sim_task *late;
	bool irqs;

	sim_begin(1);
	domain = new_domain(100, 1000);
	fifo(5, domain, greedy);
	sim_run(200);
	late = fifo(9, domain, greedy);
	REQUIRE(t, late);
	CHECK_EQ(t, late->task.held, HOLD_DOMAIN);
	sim_run(700);
	CHECK_EQ(t, late->served, 0);
	sim_run(50);
	irqs = spin_lock_irqsave(&sim.rq->lock);
	domain_leave_locked(&late->task, time_ticks());
	spin_unlock_irqrestore(&sim.rq->lock, irqs);
	CHECK_EQ(t, late->task.held, 0);
	sim_run(50);
	CHECK_EQ(t, late->served, 50);
	destroy(t, domain);
}

/* Ten ticks, then nothing for ten periods, then all it can get. */
static void late_riser(struct sim_task *task)
{
	if (task->jobs++ == 0) {
		task->work = 10;
		return;
	}
	task->work = SIM_FOREVER;
	sim_sleep_until(task, task->release);
}

SELFTEST(model_domain_idle,
	 "a domain that was idle for long has one budget, not many; its periods went on")
{
	struct sched_domain *domain;
	struct sim_task *task;
	u64 start;

	sim_begin(1);
	start = host_ticks;
	domain = new_domain(100, 1000);
	task = fifo(5, domain, late_riser);
	REQUIRE(t, task);
	task->release = start + 10500;
	sim_run_until(start + 10999);
	CHECK_EQ(t, task->served, 110);
	sim_run_until(start + 20999);
	CHECK_EQ(t, task->served, 1110);
	destroy(t, domain);
}

SELFTEST(model_domain_checked,
	 "a domain without a budget, or with more than its period, is refused")
{
	CHECK_EQ(t, sched_domain_create(STR("x"), 0, 100).err, ERR_INVAL);
	CHECK_EQ(t, sched_domain_create(STR("x"), 101, 100).err, ERR_INVAL);
}

/* ---- Mixed criticality ---- */

/* Jobs of `kind` ticks, one a period. */
static void periodic(struct sim_task *task)
{
	u64 period = task->task.budget.period;

	if (!task->jobs++) {
		task->release = host_ticks;
	} else {
		if (rb_before(task->release + task->task.budget.deadline, host_ticks))
			task->misses++;
		task->release += period;
	}
	task->work = task->kind;
	if (rb_before(host_ticks, task->release))
		sim_sleep_until(task, task->release);
}

static struct sim_task *critical(enum sched_criticality criticality, enum sched_policy policy,
				 u32 priority, u64 period, u64 runtime, u64 runtime_hi, u32 work)
{
	struct sched_params params = {
		.policy = policy,
		.priority = priority,
		.period_ns = period * NS_PER_TICK,
		.runtime_ns = runtime * NS_PER_TICK,
		.runtime_hi_ns = runtime_hi * NS_PER_TICK,
		.criticality = criticality,
	};
	struct sim_task *task = sim_task(&params, NULL, periodic);

	if (task)
		task->kind = work;
	return task;
}

SELFTEST(model_mode_there_and_back,
	 "a HI job over its LO budget: LO work stands still until the HI job is done, "
	 "and goes on then; the next HI job begins in mode LO")
{
	struct sim_task *hi, *lo;

	sim_begin(1);
	hi = critical(CRIT_HI, SCHED_FIFO, 5, 10000, 200, 400, 350);
	lo = critical(CRIT_LO, SCHED_FIFO, 9, 1000, 500, 0, 400);
	REQUIRE(t, hi && lo);
	/* lo 0-400, hi 400-600: over; hi -750, lo was held at 600 */
	sim_run(599);
	CHECK_EQ(t, sim.rq->mode.now, CRIT_LO);
	sim_run(2);
	CHECK_EQ(t, sim.rq->mode.now, CRIT_HI);
	CHECK_EQ(t, lo->task.held, HOLD_MODE);
	sim_run(148);
	CHECK_EQ(t, sim.rq->mode.now, CRIT_HI);
	sim_run(2);
	CHECK_EQ(t, sim.rq->mode.now, CRIT_LO);
	CHECK_EQ(t, lo->task.held, 0);
	CHECK_EQ(t, sim.rq->mode.changes, 2);
	CHECK_EQ(t, hi->served, 350);
	CHECK_EQ(t, hi->task.jobs.throttles, 0);
	sim_run(9660); /* it began at 400, and is there again at 10400 */
	CHECK_EQ(t, hi->task.budget.left, 200);
	CHECK_EQ(t, hi->task.budget.runtime, 200);
	sim_run(1000);
	CHECK_EQ(t, sim.rq->mode.changes, 4);
	sim_end();
}

SELFTEST(model_mode_holds,
	 "in mode HI every LO task is held, more than are moved at once too, also one that wakes "
	 "up or is new; whoever has no criticality is not")
{
	struct sim_task *hi, *other, *new;

	sim_begin(1);
	hi = critical(CRIT_HI, SCHED_FIFO, 5, 10000, 200, 4000, 3000);
	for (u32 i = 1; i < CONFIG_MIXED_CRIT_LO_TASKS; i++)
		REQUIRE(t, critical(CRIT_LO, SCHED_FIFO, 9, 1000, 60, 0, 20));
	other = fifo(8, NULL, restless);
	REQUIRE(t, hi && other);
	sim_run(1000);
	CHECK_EQ(t, sim.rq->mode.now, CRIT_HI);
	CHECK_EQ(t, held(1, CONFIG_MIXED_CRIT_LO_TASKS), CONFIG_MIXED_CRIT_LO_TASKS - 1);
	new = critical(CRIT_LO, SCHED_FIFO, 9, 1000, 60, 0, 20);
	REQUIRE(t, new);
	REQUIRE(t, !critical(CRIT_LO, SCHED_FIFO, 9, 1000, 60, 0, 20)); /* too many */
	sim_run(1500);
	CHECK_EQ(t, new->task.held, HOLD_MODE);
	CHECK_EQ(t, new->served, 0);
	CHECK_EQ(t, held(1, CONFIG_MIXED_CRIT_LO_TASKS), CONFIG_MIXED_CRIT_LO_TASKS - 1);
	CHECK_EQ(t, other->task.held, 0);
	CHECK(t, other->served > 500);
	sim_run(7000);
	CHECK_EQ(t, sim.rq->mode.now, CRIT_LO);
	CHECK_EQ(t, held(0, sim.count), 0);
	CHECK(t, new->served > 0);
	sim_end();
}

static void overrun(struct selftest *t, u32 late)
{
	struct sim_task *hi, *lo;

	sim_begin(1);
	sim.late = late;
	hi = critical(CRIT_HI, SCHED_FIFO, 9, 1000, 100, 300, 0);
	lo = critical(CRIT_LO, SCHED_FIFO, 5, 1000, 250, 0, 0);
	REQUIRE(t, hi && lo);
	hi->done = lo->done = greedy;
	sim_run(100 * 1000);
	CHECK(t, hi->served >= 100 * 300 - late && hi->served <= 100 * 300 + late);
	CHECK_EQ(t, hi->task.jobs.throttles, 100);
	CHECK(t, lo->served >= 100 * 250 - late && lo->served <= 100 * 250 + late);
	CHECK_EQ(t, sim.rq->mode.changes, 200);
	sim_end();
}

SELFTEST(model_mode_hi_budget,
	 "a HI task that never ends gets its HI budget in each period, and no more; a LO task "
	 "that never ends gets its LO budget; and each period begins in mode LO")
{
	overrun(t, 0);
	overrun(t, 7);
}

/* A HI task that sleeps for a moment in the middle of its job. */
static void napping(struct sim_task *task)
{
	task->work = 1 + random_below(&sim.seed, 90);
	if (random_below(&sim.seed, 2))
		sim_sleep_until(task, host_ticks + 1 + random_below(&sim.seed, 30));
}

SELFTEST(model_mode_naps,
	 "a HI task gains nothing by sleeping in mode HI: its share is that of the HI budget")
{
	for (u64 seed = 1; seed <= 20; seed++) {
		struct sim_task *hi;

		sim_begin(seed);
		hi = critical(CRIT_HI, seed % 2 ? SCHED_DEADLINE : SCHED_FIFO, 9, 1000, 100, 300,
			      0);
		REQUIRE(t, hi);
		hi->done = napping;
		sim_run(300 * 1000);
		CHECK(t, hi->served <= 301 * 300);
		CHECK(t, hi->served > 300 * 280);
		sim_end();
	}
}

static void hi_jobs(struct sim_task *task)
{
	const struct budget *budget = &task->task.budget;

	task->kind =
		1 + random_below(&sim.seed, (u32)(random_below(&sim.seed, 3) ? budget->runtime_lo
									     : budget->runtime_hi));
	periodic(task);
}

SELFTEST(model_mode_deadlines,
	 "DEADLINE tasks of both criticalities that were admitted together: no HI job ever "
	 "misses, in no mode, whatever LO tasks do")
{
	for (u64 seed = 1; seed <= 60; seed++) {
		sim_begin(seed);
		for (u32 i = 0; i < 12; i++) {
			u64 period = 1000 + random_below(&sim.seed, 9000);
			u64 runtime = 10 + random_below(&sim.seed, (u32)period / 8);
			bool is_hi = i % 2;
			struct sim_task *task = critical(is_hi ? CRIT_HI : CRIT_LO, SCHED_DEADLINE,
							 0, period, runtime,
							 is_hi ? runtime * 2 : 0, (u32)runtime);

			if (task)
				task->done = is_hi ? hi_jobs : restless;
		}
		sim_run(300000);
		CHECK(t, sim.rq->mode.changes > 10);
		for (u32 i = 0; i < sim.count; i++)
			if (sim.tasks[i].task.params.criticality == CRIT_HI)
				CHECK_EQ(t, sim.tasks[i].misses, 0);
		sim_end();
	}
}

/* A LO job whose release has passed is left out. */
static void skipping(struct sim_task *task)
{
	if (!task->jobs++)
		task->release = host_ticks;
	else
		do
			task->release += task->task.budget.period;
		while (rb_before(task->release, host_ticks));
	task->work = task->kind;
	if (rb_before(host_ticks, task->release))
		sim_sleep_until(task, task->release);
}

/*
 * Units of 1000 ticks; C(LO), C(HI), T, most urgent first: LO 1, -, 2; HI 1, 5, 10; HI 20, 20, 100. By the
 * analysis AMC-rtb (Baruah, Burns, Davis 2011) the HI tasks answer within 6 and 90. If LO work were not held
 * the hart would be wanted 1.2 times.
 */
SELFTEST(model_mode_analysed, "HI tasks that always need more than their LO budget answer within "
			      "what the analysis of adaptive mixed "
			      "criticality says")
{
	struct sim_task *tasks[3];
	u64 release;

	sim_begin(1);
	tasks[0] = critical(CRIT_LO, SCHED_FIFO, 9, 2000, 1000, 0, 990);
	tasks[1] = critical(CRIT_HI, SCHED_FIFO, 8, 10000, 1000, 5000, 4990);
	tasks[2] = critical(CRIT_HI, SCHED_FIFO, 7, 100000, 20000, 20000, 19990);
	REQUIRE(t, tasks[0] && tasks[1] && tasks[2]);
	tasks[0]->done = skipping;
	tasks[1]->task.budget.deadline = 6000;
	tasks[2]->task.budget.deadline = 90000;
	release = host_ticks; /* all at once, and the deadlines are the answers */
	tasks[1]->jobs = tasks[2]->jobs = 1;
	tasks[1]->work = 4990;
	tasks[2]->work = 19990;
	tasks[1]->release = tasks[2]->release = release;
	sim_run(1000 * 1000);
	CHECK_EQ(t, tasks[1]->misses, 0);
	CHECK_EQ(t, tasks[2]->misses, 0);
	CHECK_EQ(t, tasks[1]->task.jobs.throttles + tasks[2]->task.jobs.throttles, 0);
	CHECK(t, tasks[1]->jobs >= 100 && tasks[2]->jobs >= 10);
	CHECK(t, sim.rq->mode.changes > 100);
	CHECK(t, tasks[0]->served > 100 * 1000 && tasks[0]->served < 300 * 1000);
	sim_end();
}
