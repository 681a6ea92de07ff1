/*
 * What the supervisor does to the tasks of the test: begins, changes, kills and buries them.
 *
 * Each deed knows which answers are right, and expects one of them.
 */
#include <mazu/time.h>

#include "../host/random.h"
#include "soak.h"

u64 soak_dice;
struct soak_did soak_did;

struct soak_domain *soak_any_domain(void)
{
	return &soak_domains[random_below(&soak_dice, SOAK_DOMAINS)];
}

/* ---- Ends ---- */

static void forget(struct soak_slot *slot)
{
	for (u32 i = 0; i < SOAK_DOMAINS; i++)
		if (slot->domain && soak_domains[i].domain == slot->domain)
			soak_domains[i].members--;
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
		.params = { .policy = SCHED_RR, .priority = random_below(&soak_dice, 31) },
	};
	struct result_task joiner = task_create(&attributes, join_for, slot);
	struct result_u64 end;

	soak_expect(!joiner.err, "joiner: error", joiner.err, OK);
	if (random_below(&soak_dice, 2)) {
		task_sleep(NS_PER_MS);
		task_kill(joiner.value);
	}
	end = task_join(joiner.value);
	soak_expect(!end.err, "joiner: end", end.err, OK);
	if (end.value == TASK_KILLED)
		joined(slot, task_join(slot->task));
}

/* One that was asked to end, or is over; a detached one goes by itself. */
void soak_bury(struct soak_slot *slot)
{
	if (!slot->task) {
		if (soak_is_over(slot))
			forget(slot);
		return;
	}
	if (random_below(&soak_dice, 4))
		joined(slot, task_join(slot->task));
	else
		join_by_another(slot);
	forget(slot);
}

void soak_kill(struct soak_slot *slot)
{
	enum error err = OK;

	slot->killed = true;
	soak_did.kills++;
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

	d->period_ns = soak_between(&soak_dice, 2, 50) * NS_PER_MS;
	d->budget_ns = d->period_ns / 1000 * soak_between(&soak_dice, 10, 100);
	made = sched_domain_create(STR("soak"), d->budget_ns, d->period_ns);
	soak_expect(!made.err, "domain: error", made.err, OK);
	d->domain = made.value;
	d->born_ns = time_now_ns();
}

/* One with members stays. */
void soak_domain_change(struct soak_domain *d)
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
		.kind = random_below(&soak_dice, 4) ? SOAK_MIXED : 1 + random_below(&soak_dice, 2),
		.random = random_u64(&soak_dice),
		.result = random_u64(&soak_dice) >> 1,
	};
	slot->steady = slot->kind != SOAK_MIXED; /* which change their own */
	slot->params = soak_params(&soak_dice, slot->kind);
	if (slot->kind == SOAK_MIXED && random_below(&soak_dice, 3) == 0)
		slot->domain = soak_any_domain()->domain;
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

void soak_begin(struct soak_slot *slot)
{
	enum error sense, err;

	fill(slot);
	slot->born_ns = time_now_ns();
	sense = sched_params_check(&slot->params);
	for (u32 i = 0; i < SOAK_DOMAINS; i++)
		soak_domains[i].members += slot->domain && soak_domains[i].domain == slot->domain;
	err = create(slot, random_below(&soak_dice, 6) == 0);
	soak_expect(err == sense || (!sense && (err == ERR_BUSY || err == ERR_NOSPC)),
		    "create: error", err, sense);
	soak_did.tasks += !err;
	soak_did.refused += err != OK;
	if (err)
		forget(slot);
}

/* ---- Changes ---- */

static bool same(const struct sched_params *a, const struct sched_params *b)
{
	return a->policy == b->policy && a->priority == b->priority && a->nice == b->nice &&
	       a->runtime_ns == b->runtime_ns && a->period_ns == b->period_ns &&
	       a->deadline_ns == b->deadline_ns && a->criticality == b->criticality;
}

void soak_change(struct soak_slot *slot)
{
	struct sched_params before, wanted = soak_params(&soak_dice, slot->kind), after;
	enum error sense = sched_params_check(&wanted), err;

	sched_get(slot->task, &before);
	err = sched_set(slot->task, &wanted);
	sched_get(slot->task, &after);
	soak_expect(err == sense || (!sense && (err == ERR_BUSY || err == ERR_NOSPC)) ||
			    (err && soak_is_over(slot)),
		    "change: error", err, sense);
	if (slot->kind != SOAK_MIXED) /* which may have changed its own meanwhile */
		soak_expect(same(&after, err ? &before : &wanted), "change: parameters", err,
			    slot->id);
	if (!err)
		slot->steady = false;
	soak_did.changes += !err;
}
