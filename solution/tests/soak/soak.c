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
#include <mazu/kstack.h>
#include <mazu/page.h>
#include <mazu/power.h>
#include <mazu/time.h>

#include "../host/random.h"
#include "soak.h"

#define SECONDS 60
#define REST_NS (20 * NS_PER_MS) /* the longest pause between two deeds */

static struct soak_slot *any_slot(void)
{
	return &soak_slots[random_below(&soak_dice, SOAK_SLOTS)];
}

static void do_something(void)
{
	struct soak_slot *slot = any_slot();
	u32 what = random_below(&soak_dice, 12);

	if (!slot->id)
		soak_begin(slot);
	else if (what < 3 && slot->task && slot->kind != SOAK_JOBS)
		soak_change(slot);
	else if (what < 6 && slot->task)
		task_unpark(slot->task);
	else if (what < 7)
		soak_domain_change(soak_any_domain());
	else if (what < 8) {
		soak_kill(slot);
		soak_bury(slot);
	} else if (what < 9)
		soak_check();
	else if (!slot->task || soak_is_over(slot))
		soak_bury(slot);
}

static void end_all(void)
{
	for (u32 i = 0; i < SOAK_SLOTS; i++) {
		if (soak_slots[i].id)
			soak_kill(&soak_slots[i]);
		while (soak_slots[i].id) {
			soak_bury(&soak_slots[i]);
			task_sleep(NS_PER_MS);
		}
	}
	for (u32 i = 0; i < SOAK_DOMAINS; i++)
		if (soak_domains[i].domain)
			soak_expect(!sched_domain_destroy(soak_domains[i].domain), "domain: end", i,
				    0);
}

/* ---- The test ---- */

static u64 pages_free(void)
{
	struct page_statistics s;

	kstack_drain();
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

	soak_dice = seed;
	while (time_now_ns() < end) {
		do_something();
		task_sleep(soak_between(&soak_dice, 0, REST_NS));
	}
	soak_check();
	end_all();
	task_sleep(NS_PER_SECOND); /* the idle task gives back what is left */
	soak_expect(count_tasks() == tasks_before, "tasks left", count_tasks(), tasks_before);
	soak_expect(pages_free() == before, "pages", pages_free(), before);
	soak_expect(!sched_info(0, &info) && !info.bandwidth, "reserved in the end", info.bandwidth,
		    0);
	console_printf(
		"soak %lu: ok: %lu tasks, %lu refused, %lu killed, %lu changes, %lu switches, "
		"%lu s, idle %lu s\n",
		seed, soak_did.tasks, soak_did.refused, soak_did.kills, soak_did.changes,
		info.switches, time_now_ns() / NS_PER_SECOND, info.idle_ns / NS_PER_SECOND);
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
