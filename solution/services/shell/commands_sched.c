/*
 * The commands that look at tasks and at who gets the hart, and one that ends a task.
 *
 * A row is put together first and printed in one piece, so what other tasks print comes between rows. Each
 * task is copied under its lock and printed without one: a list is true row by row, not as a whole.
 */
#include <mazu/board.h>
#include <mazu/bytes.h>
#include <mazu/callout.h>
#include <mazu/fmt.h>
#include <mazu/sched.h>
#include <mazu/shell.h>
#include <mazu/task.h>
#include <mazu/time.h>

#define NS_PER_US 1000UL
#define ROW_MAX 160

/* ---- ps ---- */

static struct str state_name(const struct task_info *info)
{
	switch (info->state) {
	case TASK_NEW: return STR("new");
	case TASK_RUNNABLE: break;
	case TASK_BLOCKED: return STR("blocked");
	case TASK_DEAD: return STR("dead");
	}
	return info->running ? STR("running") : STR("ready");
}

/* In what state it is; of one that may not run, why. */
static void put_state(struct byte_buf *row, const struct task_info *info)
{
	static const char *const reasons[] = { "budget", "domain", "mode", "change", "move" };
	size_t end = row->len + 14;
	const char *before = "held:";

	if (info->state != TASK_RUNNABLE || !info->held)
		fmt(row, "%.*s", STR_ARG(state_name(info)));
	for (u32 i = 0; info->state == TASK_RUNNABLE && i < ARRAY_SIZE(reasons); i++)
		if (info->held >> i & 1) {
			fmt(row, "%s%s", before, reasons[i]);
			before = ",";
		}
	fmt(row, "%*s", row->len < end ? (int)(end - row->len) : 1, "");
}

/* What its policy goes by: nice or priority; runtime/deadline/period in us; criticality. */
static void put_params(struct byte_buf *row, const struct sched_params *params)
{
	size_t end = row->len + 32;
	u64 deadline = params->deadline_ns ? params->deadline_ns : params->period_ns;

	fmt(row, "%-9.*s", STR_ARG(sched_policy_name(params->policy)));
	if (params->policy == SCHED_OTHER)
		fmt(row, "%d ", params->nice);
	else if (params->policy != SCHED_DEADLINE)
		fmt(row, "%u ", params->priority);
	if (params->period_ns)
		fmt(row, "%lu/%lu/%lu ", params->runtime_ns / NS_PER_US, deadline / NS_PER_US,
		    params->period_ns / NS_PER_US);
	if (params->criticality)
		fmt(row, "%s ", params->criticality == CRIT_HI ? "HI" : "LO");
	fmt(row, "%*s", row->len < end ? (int)(end - row->len) : 0, "");
}

static void task_print(struct shell *sh, const struct task_info *info)
{
	u8 text[ROW_MAX];
	struct byte_buf row = BYTE_BUF(text);
	struct str name = { (const char *)info->name, info->name_len };

	fmt(&row, "%5u  %-15.*s ", info->id, STR_ARG(name));
	put_state(&row, info);
	put_params(&row, &info->params);
	fmt(&row, "%4u %8lu", info->hart, info->run_ns / NS_PER_MS);
	if (info->params.period_ns)
		fmt(&row, " %6lu %6lu %6lu %6lu", info->jobs, info->misses, info->overruns,
		    info->throttles);
	shell_printf(sh, "%.*s\n", STR_ARG(byte_buf_to_str(&row)));
}

SHELL_COMMAND(ps, "", "tasks, and the hart of each; times of budget, deadline and period in us")
{
	struct task_info info;

	shell_printf(sh, "   id  %-15s %-14s%-32shart %8s %6s %6s %6s %6s\n", "name", "state",
		     "policy", "cpu ms", "jobs", "missed", "over", "held");
	for (u32 after = 0; !task_info_next(after, &info); after = info.id)
		task_print(sh, &info);
}

/* ---- sched ---- */

static void callouts_print(struct shell *sh, u32 hart)
{
	static const char *const bins[CALLOUT_BINS] = { "10 us", "100 us", "1 ms",
							"10 ms", "100 ms", "more" };
	struct callout_statistics s;

	if (callout_statistics(hart, &s))
		return;
	shell_printf(sh, "callouts  %lu armed, %lu run, %lu cancelled\n", s.armed, s.run,
		     s.cancelled);
	shell_printf(sh, "late      at most %lu us; by up to",
		     time_ns_for(s.late_max_ticks) / NS_PER_US);
	for (u32 i = 0; i < CALLOUT_BINS; i++)
		shell_printf(sh, "%s %s: %lu", i ? "," : "", bins[i], s.bins[i]);
	shell_printf(sh, "\n");
}

/* Reservations are in parts of 2^20; people like thousandths. */
static void hart_print(struct shell *sh, u32 hart, const struct sched_info *info)
{
	u64 reserved = (info->bandwidth * 100000 + (1 << 19)) >> 20;

	shell_printf(sh, "hart      %u\n", hart);
	shell_printf(sh, "queue     %u tasks, %u.%02u on average\n", info->queued,
		     info->load / 1024, info->load % 1024 * 100 / 1024);
	if (IS_ENABLED(CONFIG_SMP))
		shell_printf(sh, "came      %lu tasks; %lu taken when idle, %lu given by others\n",
			     info->moved, info->stolen, info->pushed);
	shell_printf(sh, "switches  %lu\n", info->switches);
	shell_printf(sh, "idle      %lu ms of %lu ms\n", info->idle_ns / NS_PER_MS,
		     time_now_ns() / NS_PER_MS);
	shell_printf(sh, "timer     %lu interrupts, set %lu times\n", info->timer_interrupts,
		     info->timer_writes);
	shell_printf(sh, "reserved  %lu.%03lu %% of the hart, at most %u %%\n", reserved / 1000,
		     reserved % 1000, CONFIG_SCHED_DL_UTIL_THRESHOLD);
	if (IS_ENABLED(CONFIG_MIXED_CRIT))
		shell_printf(sh, "mode      %s, changed %lu times\n",
			     info->mode == CRIT_HI ? "HI" : "LO", info->mode_changes);
	callouts_print(sh, hart);
}

SHELL_COMMAND(sched, "[reset]",
	      "the scheduler of each hart; reset: the callouts' figures begin anew")
{
	struct sched_info info;

	if (str_eq(arguments, STR("reset")))
		callout_statistics_reset();
	else if (!str_is_empty(arguments))
		shell_printf(sh, "usage: sched [reset]\n");
	else
		for (u32 hart = 0; !sched_info(hart, &info); hart++)
			hart_print(sh, hart, &info);
}

/* ---- kill ---- */

SHELL_COMMAND(kill, "ID", "ask a task to end; see ps")
{
	struct result_u64 id = str_to_u64(arguments);
	enum error err = id.err || id.value > UINT32_MAX ? ERR_INVAL : task_kill_id((u32)id.value);

	if (err == ERR_INVAL)
		shell_printf(sh, "usage: kill ID\n");
	else if (err == ERR_NOENT)
		shell_printf(sh, "kill: there is no task %lu\n", id.value);
	else if (err)
		shell_printf(sh, "kill: task %lu has to live\n", id.value);
}
