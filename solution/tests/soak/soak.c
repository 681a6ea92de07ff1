/*
 * The soak test: a minute of random tasks, in which nothing may go wrong.
 *
 * Booted with soak=SEED, the machine does not go to the prompt. A supervisor, more urgent than all but
 * reserved tasks, makes tasks of every policy, changes their parameters, wakes, kills and joins them,
 * with and without domains and criticality, and looks whether everybody keeps to what was agreed:
 *
 *	parameters	what is refused changes nothing, what is accepted is what is then so
 *	budgets		nobody has more of the hart than its budget; no domain has more than its own
 *	deadlines	tasks that keep within their reservation miss none
 *	ends		a task returns what it should, unless it was killed
 *	memory		in the end all pages are free again, and no task is left
 *
 * The scheduler checks its queues after each switch (CONFIG_SCHED_CHECK). A seed stands for one story as
 * long as the machine counts instructions (-icount shift=0,sleep=off): `make soak-sched`.
 */
#include <mazu/bootargs.h>
#include <mazu/console.h>
#include <mazu/init.h>
#include <mazu/kernel_map.h>
#include <mazu/kmalloc.h>
#include <mazu/page.h>
#include <mazu/power.h>
#include <mazu/shell.h>
#include <mazu/time.h>

#include "../host/random.h"
#include "soak.h"

#define SECONDS 60
#define SLOTS 24
#define DOMAINS 3
#define REST_NS (20 * NS_PER_MS) /* the longest pause between two deeds */
/* What may be charged too late: a tick here and there, and the timer's distance. */
#define SLACK_NS 50000

static struct soak_slot slots[SLOTS];
static struct soak_domain {
	struct sched_domain *domain;
	u64 budget_ns, period_ns, born_ns;
	u32 members;
} domains[DOMAINS];

static u64 dice;
static struct {
	u64 tasks, refused, changes, kills;
} did;

void soak_fail(const char *what, u64 a, u64 b)
{
	static struct shell sh = { .write = console_write };

	console_printf("soak: FAIL: %s: %lu, %lu (task %u)\n", what, a, b, task_id(task_current()));
	shell_execute(&sh, STR("ps"));
	shell_execute(&sh, STR("trace dump"));
	console_flush();
	power_off(1);
}

static struct soak_slot *any_slot(void)
{
	return &slots[random_below(&dice, SLOTS)];
}

static struct soak_domain *any_domain(void)
{
	return &domains[random_below(&dice, DOMAINS)];
}

/* ---- Looking ---- */

/* ERR_NOENT: it is gone. */
static enum error look(const struct soak_slot *slot, struct task_info *info)
{
	enum error err = task_info_next(slot->id - 1, info);

	return !err && info->id != slot->id ? ERR_NOENT : err;
}

static bool is_over(const struct soak_slot *slot)
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

static void check_all(void)
{
	struct sched_info info;

	for (u32 i = 0; i < SLOTS; i++)
		check_task(&slots[i]);
	for (u32 i = 0; i < DOMAINS; i++)
		check_domain(&domains[i]);
	for (u32 hart = 0; !sched_info(hart, &info); hart++)
		soak_expect(info.bandwidth <= (CONFIG_SCHED_DL_UTIL_THRESHOLD << 20) / 100 + SLOTS,
			    "reserved", info.bandwidth, hart);
}

/* ---- Ends ---- */

static void forget(struct soak_slot *slot)
{
	for (u32 i = 0; i < DOMAINS; i++)
		if (slot->domain && domains[i].domain == slot->domain)
			domains[i].members--;
	*slot = (struct soak_slot){ 0 };
}

static void joined(const struct soak_slot *slot, struct result_u64 end)
{
	soak_expect(!end.err, "join: error", end.err, slot->id);
	soak_expect(end.value == slot->result || (slot->killed && end.value == TASK_KILLED),
		    "join: result", end.value, slot->result);
}

static u64 join_for(void *arg)
{
	struct soak_slot *slot = arg;

	joined(slot, task_join(slot->task));
	return slot->result;
}

/* A task of its own joins it, which a kill does not keep from doing so, unless it came before that began. */
static void join_by_another(struct soak_slot *slot)
{
	struct task_attributes attributes = {
		.name = STR("joiner"),
		.params = { .policy = SCHED_RR, .priority = random_below(&dice, 31) },
	};
	struct result_task joiner = task_create(&attributes, join_for, slot);
	struct result_u64 end;

	soak_expect(!joiner.err, "joiner: error", joiner.err, OK);
	if (random_below(&dice, 2)) {
		task_sleep(NS_PER_MS);
		task_kill(joiner.value);
	}
	end = task_join(joiner.value);
	soak_expect(!end.err, "joiner: end", end.err, OK);
	if (end.value == TASK_KILLED)
		joined(slot, task_join(slot->task));
}

/* One that was asked to end, or is over; a detached one goes by itself. */
static void bury(struct soak_slot *slot)
{
	if (!slot->task) {
		if (is_over(slot))
			forget(slot);
		return;
	}
	if (random_below(&dice, 4))
		joined(slot, task_join(slot->task));
	else
		join_by_another(slot);
	forget(slot);
}

static void kill(struct soak_slot *slot)
{
	enum error err = OK;

	slot->killed = true;
	did.kills++;
	if (slot->task)
		task_kill(slot->task);
	else
		err = task_kill_id(slot->id);
	soak_expect(!err || err == ERR_NOENT, "kill: error", err, slot->id);
}

/* ---- Beginnings ---- */

static void domain_begin(struct soak_domain *d)
{
	struct result_domain made;

	d->period_ns = soak_between(&dice, 2, 50) * NS_PER_MS;
	d->budget_ns = d->period_ns / 1000 * soak_between(&dice, 10, 100);
	made = sched_domain_create(STR("soak"), d->budget_ns, d->period_ns);
	soak_expect(!made.err, "domain: error", made.err, OK);
	d->domain = made.value;
	d->born_ns = time_now_ns();
}

/* One with members stays. */
static void domain_change(struct soak_domain *d)
{
	enum error err;

	if (!d->domain) {
		domain_begin(d);
		return;
	}
	err = sched_domain_destroy(d->domain);
	if (!err)
		d->domain = NULL;
	else
		soak_expect(err == ERR_BUSY && d->members, "domain: stays", err, d->members);
}

static void fill(struct soak_slot *slot)
{
	*slot = (struct soak_slot){
		.kind = random_below(&dice, 4) ? SOAK_MIXED : 1 + random_below(&dice, 2),
		.random = random_u64(&dice),
		.result = random_u64(&dice) >> 1,
	};
	slot->steady = slot->kind != SOAK_MIXED; /* which change their own */
	slot->params = soak_params(&dice, slot->kind);
	if (slot->kind != SOAK_JOBS && random_below(&dice, 3) == 0)
		slot->domain = any_domain()->domain;
}

static enum error create(struct soak_slot *slot, bool detached)
{
	static u64 (*const runs[SOAK_KINDS])(void *) = { soak_mixed, soak_hog, soak_jobs };
	static const struct str names[SOAK_KINDS] = { STR("mixed"), STR("hog"), STR("jobs") };
	struct task_attributes attributes = {
		.name = names[slot->kind],
		.params = slot->params,
		.domain = slot->domain,
		.kill_anywhere = slot->kind != SOAK_MIXED,
	};
	struct result_task task = task_create(&attributes, runs[slot->kind], slot);

	if (task.err)
		return task.err;
	slot->task = task.value;
	slot->id = task_id(task.value);
	if (detached) {
		slot->task = NULL;
		soak_expect(!task_detach(task.value), "detach", slot->id, 0);
	}
	return OK;
}

static void begin(struct soak_slot *slot)
{
	enum error sense, err;

	fill(slot);
	slot->born_ns = time_now_ns();
	sense = sched_params_check(&slot->params);
	for (u32 i = 0; i < DOMAINS; i++)
		domains[i].members += slot->domain && domains[i].domain == slot->domain;
	err = create(slot, random_below(&dice, 6) == 0);
	soak_expect(err == sense || (!sense && (err == ERR_BUSY || err == ERR_NOSPC)),
		    "create: error", err, sense);
	did.tasks += !err;
	did.refused += err != OK;
	if (err)
		forget(slot);
}

/* ---- What the supervisor does ---- */

static bool same(const struct sched_params *a, const struct sched_params *b)
{
	return a->policy == b->policy && a->priority == b->priority && a->nice == b->nice &&
	       a->runtime_ns == b->runtime_ns && a->period_ns == b->period_ns &&
	       a->deadline_ns == b->deadline_ns && a->criticality == b->criticality;
}

static void change(struct soak_slot *slot)
{
	struct sched_params before, wanted = soak_params(&dice, slot->kind), after;
	enum error sense = sched_params_check(&wanted), err;

	sched_get(slot->task, &before);
	err = sched_set(slot->task, &wanted);
	sched_get(slot->task, &after);
	soak_expect(err == sense || (!sense && (err == ERR_BUSY || err == ERR_NOSPC)) ||
			    (err && is_over(slot)),
		    "change: error", err, sense);
	soak_expect(same(&after, err ? &before : &wanted), "change: parameters", err, slot->id);
	if (!err)
		slot->steady = false;
	did.changes += !err;
}

static void do_something(void)
{
	struct soak_slot *slot = any_slot();
	u32 what = random_below(&dice, 12);

	if (!slot->id)
		begin(slot);
	else if (what < 3 && slot->task && slot->kind != SOAK_JOBS)
		change(slot);
	else if (what < 6 && slot->task)
		task_unpark(slot->task);
	else if (what < 7)
		domain_change(any_domain());
	else if (what < 8) {
		kill(slot);
		bury(slot);
	} else if (what < 9)
		check_all();
	else if (!slot->task || is_over(slot))
		bury(slot);
}

static void end_all(void)
{
	for (u32 i = 0; i < SLOTS; i++) {
		if (slots[i].id)
			kill(&slots[i]);
		while (slots[i].id) {
			bury(&slots[i]);
			task_sleep(NS_PER_MS);
		}
	}
	for (u32 i = 0; i < DOMAINS; i++)
		if (domains[i].domain)
			soak_expect(!sched_domain_destroy(domains[i].domain), "domain: end", i, 0);
}

/* ---- The test ---- */

static u64 pages_free(void)
{
	struct page_statistics s;

	kmalloc_drain();
	page_cache_drain();
	page_statistics(&s);
	return s.free + kernel_pagetable.quota->used;
}

static u32 count_tasks(void)
{
	struct task_info info;
	u32 count = 0;

	for (u32 after = 0; !task_info_next(after, &info); after = info.id)
		count++;
	return count;
}

static void soak(u64 seed, u64 seconds)
{
	u64 before = pages_free(), end = time_now_ns() + seconds * NS_PER_SECOND;
	u32 tasks_before = count_tasks();
	struct sched_info info;

	dice = seed;
	while (time_now_ns() < end) {
		do_something();
		task_sleep(soak_between(&dice, 0, REST_NS));
	}
	check_all();
	end_all();
	task_sleep(NS_PER_SECOND); /* the idle task gives back what is left */
	soak_expect(count_tasks() == tasks_before, "tasks left", count_tasks(), tasks_before);
	soak_expect(pages_free() == before, "pages", pages_free(), before);
	soak_expect(!sched_info(0, &info) && !info.bandwidth, "reserved in the end", info.bandwidth,
		    0);
	console_printf(
		"soak %lu: ok: %lu tasks, %lu refused, %lu killed, %lu changes, %lu switches, "
		"%lu s, idle %lu s\n",
		seed, did.tasks, did.refused, did.kills, did.changes, info.switches,
		time_now_ns() / NS_PER_SECOND, info.idle_ns / NS_PER_SECOND);
}

static void soak_at_boot(void)
{
	struct sched_params urgent = { .policy = SCHED_FIFO, .priority = CONFIG_SCHED_NPRIO - 1 };

	if (bootargs_find(STR("soak")).err)
		return;
	soak_expect(!sched_set(task_current(), &urgent), "supervisor", 0, 0);
	soak(bootargs_number(STR("soak"), 1), bootargs_number(STR("soak-seconds"), SECONDS));
	power_off(0);
}
INIT_HOOK(LATE, soak_at_boot);
