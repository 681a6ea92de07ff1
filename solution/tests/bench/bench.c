/*
 * The benchmark runner: see bench.h.
 *
 * It takes the shell's place as the console's reader, lets the shell print its first prompt,
 * which ends the measurement of the boot, and then runs what was asked for and ends QEMU.
 */
#include <arch/cpu.h>
#include <mazu/bench.h>
#include <mazu/bootargs.h>
#include <mazu/console.h>
#include <mazu/init.h>
#include <mazu/pcpu.h>
#include <mazu/power.h>
#include <mazu/task.h>

extern const struct benchmark __start_benchmarks[], __stop_benchmarks[];

static const struct console_reader *shell;

/* How often a round cost so much; the last: that or more. */
#define COSTS 1024
static u32 costs[COSTS];

static u64 bench_nothing(void)
{
	return 0;
}

/* What one call costs, the measuring included; the same for a body that timed itself. */
static __attribute__((noinline)) u64 bench_once(u64 (*run)(void), u64 empty)
{
	u64 start = arch_cycles();
	u64 own = run();
	u64 whole = arch_cycles() - start;

	return own ? own : whole - MIN(whole, empty);
}

static void bench_report(struct str name, u64 mean, u64 worst)
{
	console_printf("bench %.*s mean %lu worst %lu\n", STR_ARG(name), mean, worst);
}

void bench_histogram_line(struct str name, u64 cost, u64 count)
{
	if (count && !bootargs_find(STR("histogram")).err)
		console_printf("hist %.*s %lu %lu\n", STR_ARG(name), cost, count);
}

static void bench_histogram(const struct benchmark *bench)
{
	for (u64 cost = 0; cost < COSTS; cost++) {
		bench_histogram_line(bench->name, cost, costs[cost]);
		costs[cost] = 0;
	}
}

static void bench_run(const struct benchmark *bench)
{
	u64 empty = bench_once(bench_nothing, 0), total = 0, worst = 0;

	if (bench->begin)
		bench->begin();
	for (u32 i = 0; i < bench->rounds; i++) {
		u64 cost = bench_once(bench->run, empty);

		total += cost;
		worst = MAX(worst, cost);
		costs[MIN(cost, COSTS - 1UL)]++;
	}
	if (bench->end)
		bench->end();
	bench_report(bench->name, (total + bench->rounds / 2) / bench->rounds, worst);
	bench_histogram(bench);
}

/* Where there are tasks: no other may come between, but those of a benchmark. */
static void bench_be_urgent(void)
{
	struct sched_params urgent = { .policy = SCHED_FIFO, .priority = BENCH_PRIORITY };

	if (IS_ENABLED(CONFIG_SCHED) && sched_set(task_current(), &urgent))
		console_printf("bench: not urgent\n");
}

static void bench_start(void)
{
	struct str pattern = bootargs_find(STR("bench")).value;

	shell->start();

	u64 boot = arch_cycles() - this_cpu()->entry_cycles;

	console_printf("\n");
	bench_report(STR("boot_to_prompt"), boot, boot);
	bench_be_urgent();
	for (const struct benchmark *b = __start_benchmarks; b < __stop_benchmarks; b++)
		if (str_is_empty(pattern) || str_matches(pattern, b->name))
			bench_run(b);
	power_off(0);
}

static const struct console_reader bench_reader = { .start = bench_start };

static void bench_at_boot(void)
{
	if (!bootargs_find(STR("bench")).err)
		shell = console_set_reader(&bench_reader);
}
INIT_HOOK(LATE, bench_at_boot);
