/*
 * The longest section with interrupts off while the scheduler has all kinds of work at once.
 *
 * A crowd of every policy for a quarter of a second: fair tasks of all weights, turns, servers that are used up,
 * a full domain that is exhausted and refilled, all the LO tasks there may be held and released by a
 * HI task, tasks that are made and killed, and bursts of callouts for one moment. Then the same beside a
 * thousand fair tasks. What the tracer (latency.h) has as its longest is the figure. Release builds under
 * -icount: instructions.
 */
#include <mazu/bench.h>
#include <mazu/callout.h>
#include <mazu/latency.h>
#include <mazu/printk.h>
#include <mazu/symbols.h>
#include <mazu/task.h>
#include <mazu/time.h>

#define MS NS_PER_MS
#define CROWD 1000
#define STORM_MAX (96 + CROWD)
#define BURST 64

static struct task *storm[STORM_MAX];
static u32 storm_count;
static struct callout burst[BURST];
static struct latency seen;
static struct callout_statistics callouts_seen;

static u64 run_hog(void *arg)
{
	(void)arg;
	for (;;)
		barrier();
	return 0;
}

static u64 run_naps(void *arg)
{
	u64 nap = (uptr)arg;

	while (!task_sleep(nap))
		for (u32 i = 0; i < 2000; i++)
			barrier();
	return 0;
}

static void add(u64 (*run)(void *), void *arg, struct sched_params params,
		struct sched_domain *domain)
{
	struct task_attributes attributes = {
		.name = STR("storm"),
		.params = params,
		.domain = domain,
		.kill_anywhere = true,
	};
	struct result_task task = task_create(&attributes, run, arg);

	if (task.err)
		pr_err("bench: %.*s", STR_ARG(error_name(task.err)));
	else
		storm[storm_count++] = task.value;
}

static void nothing(struct callout *callout)
{
	(void)callout;
}

static void fill(struct sched_domain *domain)
{
	for (i32 nice = -20; nice < 20; nice += 2)
		add(nice % 4 ? run_hog : run_naps, (void *)(50000 + (uptr)(nice + 20) * 3000),
		    (struct sched_params){ .policy = SCHED_OTHER, .nice = nice }, NULL);
	for (u32 i = 0; i < CONFIG_SCHED_DOMAIN_TASKS; i++)
		add(run_hog, NULL,
		    (struct sched_params){ .policy = i % 2 ? SCHED_OTHER : SCHED_RR,
					   .priority = i % 2 ? 0 : 3,
					   .quantum_ns = 200000 },
		    domain);
	for (u32 i = 0; i < CONFIG_MIXED_CRIT_LO_TASKS; i++)
		add(run_naps, (void *)(uptr)(100000 + i * 7000),
		    (struct sched_params){ .policy = SCHED_FIFO,
					   .priority = 5,
					   .runtime_ns = MS / 2,
					   .period_ns = 5 * MS,
					   .criticality = CRIT_LO },
		    NULL);
	add(run_hog, NULL,
	    (struct sched_params){ .policy = SCHED_FIFO,
				   .priority = 6,
				   .runtime_ns = MS / 2,
				   .period_ns = 10 * MS,
				   .criticality = CRIT_HI },
	    NULL);
	for (u32 i = 0; i < 8; i++)
		add(i % 2 ? run_hog : run_naps, (void *)(uptr)(300000 + i * 10000),
		    (struct sched_params){ .policy = SCHED_DEADLINE,
					   .runtime_ns = MS / 10,
					   .period_ns = (2 + i) * MS },
		    NULL);
}

static void crowd(void)
{
	for (u32 i = 0; i < CROWD; i++)
		add(i % 2 ? run_hog : run_naps, (void *)(uptr)(300000 + i * 1000),
		    (struct sched_params){ .policy = SCHED_OTHER, .nice = (i32)(i % 40) - 20 },
		    NULL);
}

static void stir(void)
{
	for (u32 round = 0; round < 50; round++) {
		u64 when = time_ticks() + time_ticks_for(2 * MS);

		for (u32 i = 0; i < BURST; i++)
			callout_arm(&burst[i], when);
		add(run_hog, NULL, (struct sched_params){ .policy = SCHED_OTHER, .nice = -20 },
		    NULL);
		if (task_sleep(5 * MS))
			return;
		task_kill(storm[--storm_count]);
		if (task_join(storm[storm_count]).err)
			pr_err("bench: a task stays");
	}
}

static void calm(void)
{
	for (u32 i = 0; i < storm_count; i++)
		task_kill(storm[i]);
	while (storm_count)
		if (task_join(storm[--storm_count]).err)
			pr_err("bench: a task stays");
}

static void storm_with(void (*more)(void))
{
	struct result_domain domain = sched_domain_create(STR("storm"), MS, 10 * MS);

	if (domain.err)
		return;
	for (u32 i = 0; i < BURST; i++)
		callout_init(&burst[i], nothing);
	latency_reset();
	callout_statistics_reset();
	fill(domain.value);
	if (more)
		more();
	stir();
	calm();
	if (latency_read(0, &seen) || callout_statistics(0, &callouts_seen) ||
	    sched_domain_destroy(domain.value))
		pr_err("bench: the storm goes on");
}

static void storm_run(void)
{
	storm_with(NULL);
}

static void storm_crowd_run(void)
{
	storm_with(crowd);
}

static void show(enum latency_kind kind)
{
	for (u32 bin = 0; bin < LATENCY_BINS; bin++)
		bench_histogram_line(latency_kind_name(kind), bin ? 256UL << bin : 0,
				     seen.kinds[kind].bins[bin]);
}

static void show_callouts(void)
{
	u64 upper_us = 10;

	for (u32 bin = 0; bin < CALLOUT_BINS; bin++, upper_us *= 10)
		bench_histogram_line(STR("callout-late"), upper_us, callouts_seen.bins[bin]);
}

static u64 worst(enum latency_kind kind)
{
	const struct latency_histogram *histogram = &seen.kinds[kind];
	struct symbol symbol = symbol_find_return(histogram->where);

	pr_info("bench: %.*s %lu, ended in %.*s+0x%lx", STR_ARG(latency_kind_name(kind)),
		histogram->max, STR_ARG(symbol.name), symbol.offset);
	show(kind);
	return histogram->max;
}

BENCHMARK_ROUNDS(irq_off_worst, 1, storm_run, NULL)
{
	show_callouts();
	return worst(LATENCY_IRQ_OFF);
}

BENCHMARK_ROUNDS(irq_off_worst_1000, 1, storm_crowd_run, NULL)
{
	return worst(LATENCY_IRQ_OFF);
}

BENCHMARK_ROUNDS(preempt_off_worst, 1, storm_run, NULL)
{
	return worst(LATENCY_PREEMPT_OFF);
}
