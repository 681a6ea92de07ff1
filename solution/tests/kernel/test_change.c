/*
 * Tasks that change hands: deadlines that are admitted hart by hart, and harts that are changed while everything runs.
 *
 * What is left of a reservation stays taken until its deadline (kernel/sched/admission.c), so each test that makes some
 * lets that pass before it ends.
 */
#include <mazu/selftest.h>
#include <mazu/smp.h>
#include <mazu/task.h>
#include <mazu/time.h>

#define PERIOD (2 * NS_PER_MS)
#define ROUNDS 200U

/* Three fifths of a hart: there is room for one on each. */
static const struct sched_params large = {
	.policy = SCHED_DEADLINE,
	.runtime_ns = PERIOD / 5 * 3,
	.deadline_ns = PERIOD,
	.period_ns = PERIOD,
};
static const struct sched_params urgent = { .policy = SCHED_FIFO, .priority = 5 };

/* CONFIG_CPU_MAX: it is not there. */
static u32 hart_of(struct task *task)
{
	struct task_info info;

	return task_info_next(task_id(task) - 1, &info) ? CONFIG_CPU_MAX : info.hart;
}

/* Where it is when it has had the time to go there, which a host may stretch. */
static u64 arrives(struct task *task, u64 hart)
{
	u32 patience = selftest_untimed ? 1000 : 1;

	while (hart_of(task) != hart && --patience)
		if (task_sleep(PERIOD / 2))
			break;
	return hart_of(task);
}

static u64 run_naps(void *arg)
{
	(void)arg;
	while (!task_is_killed())
		if (task_sleep(PERIOD / 4))
			break;
	return 0;
}

static u64 run_busy(void *arg)
{
	u64 *turns = arg;

	while (!task_is_killed())
		(*turns)++;
	return 0;
}

static struct result_task make(const struct sched_params *params, u64 harts, u64 (*run)(void *),
			       void *arg)
{
	struct task_attributes attributes = {
		.name = STR("change"),
		.params = *params,
		.affinity = harts,
	};

	return task_create(&attributes, run, arg);
}

static void end(struct selftest *t, struct result_task task)
{
	if (task.err)
		return;
	task_kill(task.value);
	CHECK(t, !task_join(task.value).err);
}

/* What they had is free again. */
static void settle(struct selftest *t)
{
	CHECK(t, !task_sleep(2 * PERIOD));
}

static u64 bandwidth(u64 hart)
{
	struct sched_info info;

	return sched_info((u32)hart, &info) ? 0 : info.bandwidth;
}

/* ---- Deadlines ---- */

SELFTEST(change_spread,
	 "reservations that fit on no hart together go to one each, and one more is refused")
{
	struct result_task tasks[CONFIG_CPU_MAX], more;
	u64 seen = 0;

	for_each_hart(i, harts_online())
	{
		tasks[i] = make(&large, UINT64_MAX, run_naps, NULL);
		if (CHECK(t, !tasks[i].err))
			seen |= hart_bit(hart_of(tasks[i].value));
	}
	CHECK_EQ(t, seen, harts_online());
	more = make(&large, UINT64_MAX, run_naps, NULL);
	CHECK_EQ(t, more.err, ERR_BUSY);
	end(t, more);
	for_each_hart(i, harts_online()) end(t, tasks[i]);
	settle(t);
	for_each_hart(i, harts_online()) CHECK_EQ(t, bandwidth(i), 0);
}

SELFTEST(change_takes_room,
	 "a task that asks for more than its hart has left gets it on another, or nothing")
{
	struct result_task first, second;

	if (harts_online() == 1)
		SKIP(t, "there is one hart");
	first = make(&large, hart_bit(0), run_naps, NULL);
	second = make(&urgent, hart_bit(0), run_naps, NULL);
	if (CHECK(t, !first.err) && CHECK(t, !second.err)) {
		CHECK_EQ(t, sched_set(second.value, &large), ERR_BUSY);
		CHECK(t, !sched_set_affinity(second.value, UINT64_MAX));
		CHECK(t, !sched_set(first.value, &large)); /* it has its room */
		CHECK_EQ(t, hart_of(first.value), 0);
		CHECK(t, !sched_set(second.value, &large));
		CHECK(t, !task_sleep(PERIOD));
		CHECK(t, bandwidth(hart_of(second.value)) > 0);
		CHECK(t, hart_of(second.value) != 0);
	}
	end(t, first);
	end(t, second);
	settle(t);
}

SELFTEST(change_readmits,
	 "a reservation moves with its task, if there is room for it, and else neither does")
{
	struct result_task first, second;
	u64 other;

	if (harts_online() == 1)
		SKIP(t, "there is one hart");
	other = harts_online() & ~1UL;
	other &= ~(other - 1);
	first = make(&large, hart_bit(0), run_naps, NULL);
	second = make(&large, other, run_naps, NULL);
	if (CHECK(t, !first.err) && CHECK(t, !second.err)) {
		CHECK_EQ(t, sched_set_affinity(first.value, other), ERR_BUSY);
		CHECK_EQ(t, sched_affinity(first.value), hart_bit(0));
		CHECK_EQ(t, hart_of(first.value), 0);
		end(t, second);
		settle(t);
		CHECK(t, !sched_set_affinity(first.value, other));
		settle(t);
		CHECK_EQ(t, hart_bit(hart_of(first.value)), other);
		CHECK_EQ(t, bandwidth(0), 0);
		CHECK(t, bandwidth(bit_lowest(other)) > 0);
	} else {
		end(t, second);
	}
	end(t, first);
	settle(t);
}

SELFTEST(change_fixed, "who belongs to a domain or a mode stays on its hart")
{
	struct result_domain domain = sched_domain_create(STR("change"), NS_PER_MS, PERIOD);
	struct task_attributes attributes = { .name = STR("change"), .affinity = UINT64_MAX };
	struct result_task member;
	u64 own;

	REQUIRE(t, !domain.err);
	own = hart_bit(this_cpu()->index);
	attributes.domain = domain.value;
	member = task_create(&attributes, run_naps, NULL);
	if (CHECK(t, !member.err)) {
		CHECK_EQ(t, hart_bit(hart_of(member.value)), own);
		if (harts_online() != own)
			CHECK_EQ(t, sched_set_affinity(member.value, ~own), ERR_BUSY);
		CHECK(t, !sched_set_affinity(member.value, own));
	}
	end(t, member);
	if (harts_online() != own) {
		attributes.affinity = ~own;
		member = task_create(&attributes, run_naps, NULL);
		CHECK_EQ(t, member.err, ERR_INVAL);
		end(t, member);
	}
	CHECK(t, !sched_domain_destroy(domain.value));
}

/* ---- All at once ---- */

struct target {
	struct task *task;
	u64 harts; /* where it may be sent */
};

static const struct sched_params kinds[] = {
	{ .policy = SCHED_FIFO, .priority = 3 },
	{ .policy = SCHED_OTHER },
	{ .policy = SCHED_RR, .priority = 3 },
	{ .policy = SCHED_DEADLINE, .runtime_ns = PERIOD / 10, .period_ns = PERIOD },
};

/* Sends it somewhere, or makes it something else, again and again. Returns what should not have failed, and how often. */
static u64 run_changes(void *arg)
{
	struct target *target = arg;
	u64 state = 7 + this_cpu()->index, wrong = 0;

	for (u32 i = 0; i < ROUNDS; i++) {
		enum error err;
		u64 harts;

		state = state * 6364136223846793005UL + 1442695040888963407UL;
		harts = (state >> 40) & target->harts;
		if (i % 4 == 3)
			err = sched_set(target->task, &kinds[(state >> 33) % 4]);
		else
			err = sched_set_affinity(target->task, harts ? harts : target->harts);
		wrong += err && err != ERR_BUSY;
		if (i % 16 == 0 && task_sleep(NS_PER_MS / 50))
			break;
	}
	return wrong;
}

/* From each hart at once, at a task that does `run` on some of `harts`; which then still goes where it is sent. */
static void storm_at(struct selftest *t, u64 (*run)(void *), u64 harts)
{
	struct result_task senders[CONFIG_CPU_MAX];
	u64 turns = 0;
	struct result_task task = make(&kinds[0], harts, run, &turns);
	struct target target = { .task = task.value, .harts = harts };

	REQUIRE(t, !task.err);
	for_each_hart(i, harts_online())
		senders[i] = make(&urgent, hart_bit((u32)i), run_changes, &target);
	for_each_hart(i, harts_online()) if (CHECK(t, !senders[i].err))
		CHECK_EQ(t, task_join(senders[i].value).value, 0);
	CHECK(t, !sched_set(task.value, &kinds[0]));
	for_each_hart(i, harts)
	{
		CHECK(t, !sched_set_affinity(task.value, hart_bit((u32)i)));
		CHECK(t, !task_sleep(PERIOD / 2));
		CHECK_EQ(t, arrives(task.value, i), i);
	}
	end(t, task);
	settle(t);
	for_each_hart(i, harts_online()) CHECK_EQ(t, bandwidth(i), 0);
}

SELFTEST(change_storm_running,
	 "a task that runs obeys the last who changed it, with all harts at it")
{
	if (harts_online() == 1)
		SKIP(t, "there is one hart");
	storm_at(t, run_busy, harts_online() & ~1UL); /* this task needs one, too */
}

SELFTEST(change_storm_waiting, "and so does one that sleeps and wakes")
{
	storm_at(t, run_naps, harts_online());
}

static u64 run_ends(void *arg)
{
	(void)arg;
	return 1;
}

SELFTEST(change_at_the_end, "tasks that end while they are sent elsewhere are gone, each once")
{
	for (u32 i = 0; i < ROUNDS; i++) {
		struct result_task task = make(&urgent, UINT64_MAX, run_ends, NULL);
		enum error err;

		if (!CHECK(t, !task.err))
			break;
		for_each_hart(hart, harts_online())
		{
			err = sched_set_affinity(task.value, hart_bit((u32)hart));
			CHECK(t, !err || err == ERR_NOENT);
		}
		CHECK_EQ(t, task_join(task.value).value, 1);
	}
}
