/*
 * Whether everybody keeps to what was agreed, as far as it can be seen from outside; and the end if not.
 */
#include <mazu/console.h>
#include <mazu/power.h>
#include <mazu/shell.h>
#include <mazu/time.h>

#include "soak.h"

/* What may be charged too late: a tick here and there, and the timer's distance. */
#define SLACK_NS 50000

struct soak_slot soak_slots[SOAK_SLOTS];
struct soak_domain soak_domains[SOAK_DOMAINS];

void soak_fail(const char *what, u64 a, u64 b)
{
	static struct shell sh = { .write = console_write };

	console_printf("soak: FAIL: %s: %lu, %lu (task %u)\n", what, a, b, task_id(task_current()));
	shell_execute(&sh, STR("ps"));
	shell_execute(&sh, STR("trace dump"));
	console_flush();
	power_off(1);
}

/* ERR_NOENT: it is gone. */
static enum error look(const struct soak_slot *slot, struct task_info *info)
{
	enum error err = task_info_next(slot->id - 1, info);

	return !err && info->id != slot->id ? ERR_NOENT : err;
}

bool soak_is_over(const struct soak_slot *slot)
{
	struct task_info info;

	return look(slot, &info) || info.state == TASK_DEAD;
}

/* The most that a budget allows in a while: a whole one at either end. */
static u64 most(u64 budget_ns, u64 period_ns, u64 ns)
{
	return (ns / period_ns + 2) * (budget_ns + 1000) + SLACK_NS;
}

static void check_domain(const struct soak_domain *d)
{
	struct sched_domain_info info;
	u64 age = time_now_ns() - d->born_ns;

	if (!d->domain)
		return;
	sched_domain_info(d->domain, &info);
	soak_expect(info.tasks <= d->members, "domain: members", info.tasks, d->members);
	soak_expect(info.used_ns <= most(d->budget_ns, d->period_ns, age), "domain: used",
		    info.used_ns, most(d->budget_ns, d->period_ns, age));
}

static void check_task(const struct soak_slot *slot)
{
	const struct sched_params *p = &slot->params;
	u64 budget = p->runtime_hi_ns ? p->runtime_hi_ns : p->runtime_ns;
	struct task_info info;
	u64 allowed;

	if (!slot->id || !slot->steady || look(slot, &info) || !p->runtime_ns)
		return;
	if (p->criticality == CRIT_HI && !p->runtime_hi_ns)
		budget += budget * CONFIG_MIXED_CRIT_HI_PCT / 100;
	allowed = most(budget, p->period_ns, time_now_ns() - slot->born_ns);
	soak_expect(info.run_ns <= allowed, "task: ran", info.run_ns, allowed);
	if (slot->kind == SOAK_JOBS && !slot->killed)
		soak_expect(!info.misses, "task: missed", info.misses, slot->id);
}

void soak_check(void)
{
	struct sched_info info;

	for (u32 i = 0; i < SOAK_SLOTS; i++)
		check_task(&soak_slots[i]);
	for (u32 i = 0; i < SOAK_DOMAINS; i++)
		check_domain(&soak_domains[i]);
	for (u32 hart = 0; !sched_info(hart, &info); hart++)
		soak_expect(info.bandwidth <=
				    (CONFIG_SCHED_DL_UTIL_THRESHOLD << 20) / 100 + SOAK_SLOTS,
			    "reserved", info.bandwidth, hart);
}
