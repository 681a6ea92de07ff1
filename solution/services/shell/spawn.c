/*
 * spawn: loads to watch the scheduler with.
 *
 *	hog		never waits
 *	periodic	does half of what its budget allows in each period, then waits for the next
 *	overrunner	wants twice its budget in each
 *	storm		an interrupt every so many microseconds
 *
 * Each is a task of its own that lives until `kill ID`, or until the machine ends.
 */
#include <mazu/callout.h>
#include <mazu/shell.h>
#include <mazu/task.h>
#include <mazu/time.h>

#define NS_PER_US 1000UL
#define USUAL_PERIOD_NS (10 * NS_PER_MS)
#define USUAL_RUNTIME_NS NS_PER_MS
#define STORM_US 50
#define STORM_US_MIN 5
#define WORDS_MAX 4

/* ---- What they do ---- */

/* Gaps longer than this between two looks at the clock were not ours. */
#define STEP_TICKS_MAX 50

/* Has the hart for `ns`, however often it loses it meanwhile. */
static void work(u64 ns)
{
	u64 left = time_ticks_for(ns), last = time_ticks();

	while (left) {
		u64 now = time_ticks(), step = now - last;

		last = now;
		left -= MIN(left, step > STEP_TICKS_MAX ? 1 : step);
	}
}

static u64 hog(void *unused)
{
	(void)unused;
	for (;;)
		barrier();
	return 0;
}

/* Without a period of its own it sleeps between. */
static u64 jobs(u64 percent)
{
	struct sched_params params;
	enum error err = OK;

	sched_get(task_current(), &params);
	while (err != ERR_INTR) {
		work((params.runtime_ns ? params.runtime_ns : USUAL_RUNTIME_NS) / 100 * percent);
		err = params.period_ns ? task_next_period() : task_sleep(USUAL_PERIOD_NS);
	}
	return 0;
}

static u64 periodic(void *unused)
{
	(void)unused;
	return jobs(50);
}

static u64 overrunner(void *unused)
{
	(void)unused;
	return jobs(200);
}

struct storm {
	struct callout callout;
	u64 interval; /* ticks */
};

static void storm_again(struct callout *callout)
{
	callout_arm(callout,
		    callout->node.key + container_of(callout, struct storm, callout)->interval);
}

static u64 storm(void *interval_us)
{
	struct storm storm = { .interval = time_ticks_for((uptr)interval_us * NS_PER_US) };

	callout_init(&storm.callout, storm_again);
	callout_arm(&storm.callout, time_ticks() + storm.interval);
	while (!task_park())
		;
	callout_cancel_sync(&storm.callout);
	return 0;
}

/* ---- What was asked for ---- */

static const struct kind {
	struct str name;
	u64 (*run)(void *arg);
	bool kill_anywhere;
} kinds[] = {
	{ STR("hog"), hog, true },
	{ STR("periodic"), periodic, true },
	{ STR("overrunner"), overrunner, true },
	{ STR("storm"), storm, false },
};

static const struct policy {
	struct str name;
	enum sched_policy policy;
	bool has_number; /* nice or priority comes first */
} policies[] = {
	{ STR("other"), SCHED_OTHER, true },
	{ STR("fifo"), SCHED_FIFO, true },
	{ STR("rr"), SCHED_RR, true },
	{ STR("dl"), SCHED_DEADLINE, false },
};

/* Whole numbers, the first perhaps negative. False: something else is there, or too much of it. */
static bool numbers(struct str text, i64 *values, u32 *count)
{
	for (*count = 0; !str_is_empty(text = str_trim(text)); (*count)++) {
		struct str word = str_split_word(&text);
		bool negative = *count == 0 && str_starts_with(word, STR("-"));
		struct result_u64 value = str_to_u64(str_skip(word, negative));

		if (value.err || value.value > UINT32_MAX || *count == WORDS_MAX)
			return false;
		values[*count] = negative ? -(i64)value.value : (i64)value.value;
	}
	return true;
}

/* other [NICE] | fifo N [BUDGET DEADLINE PERIOD] | rr likewise | dl BUDGET DEADLINE PERIOD; nothing: other */
static bool params_read(struct str text, struct sched_params *params)
{
	struct str word = str_split_word(&text);
	const struct policy *policy = policies;
	i64 values[WORDS_MAX], *times = values;
	u32 count;

	while (!str_is_empty(word) && !str_eq(policy->name, word))
		if (++policy == policies + ARRAY_SIZE(policies))
			return false;
	if (!numbers(text, values, &count))
		return false;
	*params = (struct sched_params){ .policy = policy->policy };
	if (policy->has_number && count) {
		params->nice = params->policy == SCHED_OTHER ? (i32)values[0] : 0;
		params->priority = params->policy == SCHED_OTHER ? 0 : (u32)values[0];
		times++, count--;
	}
	if (count != 0 && count != 3)
		return false;
	params->runtime_ns = count ? (u64)times[0] * NS_PER_US : 0;
	params->deadline_ns = count ? (u64)times[1] * NS_PER_US : 0;
	params->period_ns = count ? (u64)times[2] * NS_PER_US : 0;
	return true;
}

static void usage(struct shell *sh)
{
	shell_printf(sh, "usage: spawn hog|periodic|overrunner [POLICY]\n"
			 "       spawn storm [EVERY]\n"
			 "POLICY: other [NICE], fifo|rr PRIORITY [BUDGET DEADLINE PERIOD],\n"
			 "        dl BUDGET DEADLINE PERIOD; times in us\n");
}

static void start(struct shell *sh, const struct kind *kind, const struct sched_params *params,
		  uptr arg)
{
	struct task_attributes attributes = {
		.name = kind->name,
		.params = *params,
		.kill_anywhere = kind->kill_anywhere,
	};
	struct result_task task = task_create(&attributes, kind->run, (void *)arg);

	if (task.err) {
		shell_printf(sh, "spawn: %.*s\n", STR_ARG(error_name(task.err)));
		return;
	}
	shell_printf(sh, "task %u\n", task_id(task.value));
	task_detach(task.value);
}

SHELL_COMMAND(spawn, "KIND ...", "start a task that makes work; without KIND, how")
{
	struct str word = str_split_word(&arguments);
	struct sched_params params = { .policy = SCHED_OTHER };
	i64 every[WORDS_MAX] = { STORM_US };
	u32 count;

	for (const struct kind *kind = kinds; kind < kinds + ARRAY_SIZE(kinds); kind++) {
		if (!str_eq(kind->name, word))
			continue;
		if (kind->run == storm ? numbers(arguments, every, &count) && count <= 1 &&
						 every[0] >= STORM_US_MIN
				       : params_read(arguments, &params)) {
			start(sh, kind, &params, (uptr)every[0]);
			return;
		}
	}
	usage(sh);
}
