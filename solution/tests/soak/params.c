/*
 * Random parameters: of all policies, with and without periods, budgets and criticality.
 *
 * Budgets are a few per cent of their periods, so that most of the time nobody runs: QEMU skips it.
 */
#include <mazu/time.h>

#include "../host/random.h"
#include "soak.h"

#define NS_PER_US 1000UL

u64 soak_between(u64 *random, u64 low, u64 high)
{
	return low + random_u64(random) % (high - low + 1);
}

static bool one_in(u64 *random, u32 count)
{
	return random_below(random, count) == 0;
}

/* A period, and of it a budget of `low` to `high` thousandths. */
static void put_budget(u64 *random, struct sched_params *params, u64 low, u64 high)
{
	params->period_ns = soak_between(random, 5, 100) * NS_PER_MS;
	params->runtime_ns = params->period_ns / 1000 * soak_between(random, low, high);
	params->deadline_ns = 0;
	if (one_in(random, 2))
		params->deadline_ns =
			soak_between(random, params->period_ns / 2, params->period_ns);
}

static void put_criticality(u64 *random, struct sched_params *params)
{
	params->criticality = one_in(random, 2) ? CRIT_HI : CRIT_LO;
	if (params->criticality == CRIT_HI && one_in(random, 2))
		params->runtime_hi_ns =
			soak_between(random, params->runtime_ns, 2 * params->runtime_ns);
}

static void put_nonsense(u64 *random, struct sched_params *params)
{
	switch (random_below(random, 4)) {
	case 0: params->priority = CONFIG_SCHED_NPRIO; break;
	case 1: params->nice = 20; break;
	case 2: params->policy = 5; break;
	case 3: params->runtime_ns = params->period_ns + 1; break;
	}
}

static struct sched_params fixed(u64 *random)
{
	struct sched_params params = {
		.policy = one_in(random, 2) ? SCHED_FIFO : SCHED_RR,
		.priority = random_below(random, CONFIG_SCHED_NPRIO - 1),
	};

	if (params.policy == SCHED_RR && one_in(random, 2))
		params.quantum_ns = soak_between(random, 50, 5000) * NS_PER_US;
	if (one_in(random, 2))
		put_budget(random, &params, 10, 60);
	return params;
}

static struct sched_params reserved(u64 *random)
{
	struct sched_params params = { .policy = SCHED_DEADLINE };

	put_budget(random, &params, 20, 100);
	return params;
}

static struct sched_params mixed(u64 *random)
{
	struct sched_params params = { .policy = SCHED_OTHER };

	if (one_in(random, 3))
		params.nice = (i32)random_below(random, 40) - 20;
	else
		params = one_in(random, 2) ? fixed(random) : reserved(random);
	if (params.runtime_ns && one_in(random, 3))
		put_criticality(random, &params);
	if (one_in(random, 16))
		put_nonsense(random, &params);
	return params;
}

struct sched_params soak_params(u64 *random, enum soak_kind kind)
{
	struct sched_params params;

	if (kind == SOAK_MIXED)
		return mixed(random);
	if (kind == SOAK_JOBS)
		return reserved(random);
	params = one_in(random, 2) ? reserved(random) : fixed(random);
	put_budget(random, &params, 10, 30);
	return params;
}
