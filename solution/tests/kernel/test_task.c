/*
 * Tasks: their lives, their waiting, and when one takes the hart from another.
 *
 * The tests run in a task of the lowest fixed priority (main.c), so a task of a higher one that is made ready
 * runs before the next line here, and one of the same priority when this one yields.
 */
#include <arch/cpu.h>
#include <mazu/bootargs.h>
#include <mazu/callout.h>
#include <mazu/kernel_map.h>
#include <mazu/kmalloc.h>
#include <mazu/kstack.h>
#include <mazu/page.h>
#include <mazu/pcpu.h>
#include <mazu/preempt.h>
#include <mazu/selftest.h>
#include <mazu/spinlock.h>
#include <mazu/task.h>
#include <mazu/time.h>

#define SAME 0
#define ABOVE 5

/* ---- Helpers ---- */

static volatile u32 steps; /* what helpers count */

static struct result_task make(enum sched_policy policy, u32 priority, u64 (*run)(void *),
			       void *arg)
{
	struct task_attributes attributes = {
		.name = STR("helper"),
		.params = { .policy = policy, .priority = priority },
		.kill_anywhere = true,
	};

	steps = 0;
	return task_create(&attributes, run, arg);
}

static void end(struct selftest *t, struct result_task task)
{
	if (task.err)
		return;
	task_kill(task.value);
	CHECK(t, !task_join(task.value).err);
}

static u64 run_once(void *arg)
{
	steps++;
	return (uptr)arg;
}

static u64 run_parks(void *arg)
{
	enum error err = OK;

	(void)arg;
	while (!err) {
		err = task_park();
		steps += !err;
	}
	return err;
}

static u64 run_spins(void *arg)
{
	(void)arg;
	for (;;)
		steps++;
	return 0;
}

/* ---- Beginning and ending ---- */

SELFTEST(task_result, "joining a task waits for its end and yields what its function returned")
{
	struct result_task task = make(SCHED_FIFO, SAME, run_once, (void *)42);

	REQUIRE(t, !task.err);
	CHECK_EQ(t, steps, 0);
	CHECK_EQ(t, task_join(task.value).value, 42);
	CHECK_EQ(t, steps, 1);
}

SELFTEST(task_preempts_creator, "a more urgent task runs before its creator goes on")
{
	struct result_task task = make(SCHED_FIFO, ABOVE, run_once, NULL);

	REQUIRE(t, !task.err);
	CHECK_EQ(t, steps, 1);
	CHECK(t, !task_join(task.value).err);
}

SELFTEST(task_equal_waits, "a task of the same priority runs when its creator yields, not before")
{
	struct result_task task = make(SCHED_FIFO, SAME, run_once, NULL);

	REQUIRE(t, !task.err);
	CHECK_EQ(t, steps, 0);
	task_yield();
	CHECK_EQ(t, steps, 1);
	CHECK(t, !task_join(task.value).err);
}

SELFTEST(task_join_refuses, "nobody joins itself, a detached task, or one that has a joiner")
{
	struct result_task task = make(SCHED_FIFO, ABOVE, run_parks, NULL);

	CHECK_EQ(t, task_join(task_current()).err, ERR_INVAL);
	REQUIRE(t, !task.err);
	CHECK_EQ(t, task_detach(task.value), OK);
	CHECK_EQ(t, task_detach(task.value), ERR_INVAL);
	CHECK_EQ(t, task_join(task.value).err, ERR_INVAL);
	task_kill(task.value);
	task_sleep(NS_PER_MS); /* the idle task gives its memory back */
}

static u64 run_joins(void *arg)
{
	return task_join(arg).err;
}

SELFTEST(task_one_joiner, "a task has one joiner; a kill does not end its wait")
{
	struct result_task task = make(SCHED_FIFO, ABOVE, run_parks, NULL);
	struct result_task joiner = { .err = ERR_NOMEM };

	REQUIRE(t, !task.err);
	joiner = make(SCHED_FIFO, ABOVE, run_joins, task.value);
	if (joiner.err) {
		end(t, task);
		return;
	}
	CHECK_EQ(t, task_join(task.value).err, ERR_BUSY);
	CHECK_EQ(t, task_detach(task.value), ERR_BUSY);
	task_kill(joiner.value);
	task_kill(task.value);
	CHECK_EQ(t, task_join(joiner.value).value, OK);
}

SELFTEST(task_names, "a long name is cut; every task has a number of its own")
{
	struct task_attributes attributes = {
		.name = STR("a name that is longer than there is room for"),
		.params = { .policy = SCHED_FIFO, .priority = ABOVE },
	};
	struct result_task task = task_create(&attributes, run_once, NULL);

	REQUIRE(t, !task.err);
	CHECK_STR_EQ(t, task_name(task.value), STR("a name that is "));
	CHECK(t, task_id(task.value) > task_id(task_current()));
	CHECK(t, !task_join(task.value).err);
}

static u64 pages_free(void)
{
	struct page_statistics s;

	kstack_drain();
	kmalloc_drain();
	page_cache_drain();
	page_statistics(&s);
	return s.free + kernel_pagetable.quota->used; /* a superpage that was split stays split */
}

SELFTEST(task_ten_thousand,
	 "ten thousand tasks made and ended, joined and detached, leave nothing behind")
{
	/* with each allocation failing in turn a few are as good */
	u32 count = bootargs_find(STR("failalloc")).err ? 10000 : 4;
	struct task_attributes attributes = {
		.name = STR("short"), .params = { .policy = SCHED_FIFO, .priority = ABOVE }
	};
	u64 before, until_ns;

	CHECK(t, !task_sleep(NS_PER_MS));
	before = pages_free();
	steps = 0;
	for (u32 i = 0; i < count; i++) {
		struct result_task task;

		attributes.detached = i % 2;
		task = task_create(&attributes, run_once, NULL);
		if (task.err)
			break;
		if (!attributes.detached)
			CHECK(t, !task_join(task.value).err);
	}
	until_ns = time_now_ns() + NS_PER_SECOND;
	while (pages_free() != before && time_now_ns() < until_ns)
		CHECK(t, !task_sleep(NS_PER_MS)); /* the last may be on its way out */
	CHECK_EQ(t, pages_free(), before);
	if (!t->failures && bootargs_find(STR("failalloc")).err)
		CHECK_EQ(t, steps, count);
}

/* ---- Being killed ---- */

SELFTEST(task_killed_parked, "a killed task's wait ends with an error")
{
	struct result_task task = make(SCHED_FIFO, ABOVE, run_parks, NULL);

	REQUIRE(t, !task.err);
	task_kill(task.value);
	CHECK_EQ(t, task_join(task.value).value, ERR_INTR);
}

SELFTEST(task_killed_running, "a task that never waits can be killed, if its creator allowed that")
{
	struct result_task task = make(SCHED_OTHER, 0, run_spins, NULL);

	REQUIRE(t, !task.err);
	CHECK(t, !task_sleep(NS_PER_MS));
	CHECK(t, steps > 100);
	task_kill(task.value);
	CHECK_EQ(t, task_join(task.value).value, TASK_KILLED);
}

SELFTEST(task_killed_early, "a task that is killed before it began never begins")
{
	struct result_task task = make(SCHED_FIFO, SAME, run_once, NULL);

	REQUIRE(t, !task.err);
	task_kill(task.value);
	CHECK_EQ(t, task_join(task.value).value, TASK_KILLED);
	CHECK_EQ(t, steps, 0);
}

SELFTEST(task_kill_by_number, "a number that no task has, and the idle task, are refused")
{
	CHECK_EQ(t, task_kill_id(UINT32_MAX), ERR_NOENT);
	CHECK_EQ(t, task_kill_id(0), ERR_ACCESS);
}

/* ---- Waiting ---- */

SELFTEST(task_sleeps, "a sleep is not shorter than asked for, and one in the past is none")
{
	u64 before = time_now_ns();

	CHECK(t, !task_sleep(3 * NS_PER_MS));
	CHECK(t, time_now_ns() - before >= 3 * NS_PER_MS);
	before = time_now_ns();
	CHECK(t, !task_sleep_until(before - 1));
	CHECK(t, !task_sleep_until(0));
	CHECK(t, !task_sleep(0));
}

SELFTEST(task_permit, "an unpark that comes first is kept, and several are one")
{
	task_unpark(task_current());
	task_unpark(task_current());
	CHECK_EQ(t, task_park(), OK);
	CHECK_EQ(t, task_park_until(time_now_ns() + NS_PER_MS), ERR_TIMEOUT);
}

SELFTEST(task_unparks, "an unpark wakes who is parked, at once if that is more urgent")
{
	struct result_task task = make(SCHED_FIFO, ABOVE, run_parks, NULL);

	REQUIRE(t, !task.err);
	for (u32 i = 1; i <= 100; i++) {
		task_unpark(task.value);
		CHECK_EQ(t, steps, i);
	}
	end(t, task);
}

static u64 run_park_briefly(void *arg)
{
	u64 began = time_now_ns();
	enum error err = task_park_until(began + *(u64 *)arg);

	*(u64 *)arg = time_now_ns() - began;
	return err;
}

SELFTEST(task_unpark_in_time,
	 "an unpark before the time is up ends a timed wait, and disarms its timer")
{
	u64 wait = 50 * NS_PER_MS;
	struct result_task task = make(SCHED_FIFO, ABOVE, run_park_briefly, &wait);

	REQUIRE(t, !task.err);
	CHECK(t, !task_sleep(NS_PER_MS));
	task_unpark(task.value);
	CHECK_EQ(t, task_join(task.value).value, OK);
	CHECK_TIMED(t, wait < 50 * NS_PER_MS);
}

static u64 run_parks_again(void *arg)
{
	enum error err = task_park_until(time_now_ns() + (uptr)arg);

	steps = 1;
	return err ? err : task_park();
}

SELFTEST(task_unpark_and_park, "nor does that time end the next wait")
{
	struct result_task task = make(SCHED_FIFO, ABOVE, run_parks_again, (void *)(3 * NS_PER_MS));

	REQUIRE(t, !task.err);
	CHECK(t, !task_sleep(NS_PER_MS));
	task_unpark(task.value);
	CHECK_EQ(t, steps, 1);
	CHECK(t, !task_sleep(5 * NS_PER_MS));
	task_kill(task.value);
	CHECK_TIMED_EQ(t, task_join(task.value).value, ERR_INTR);
}

/* ---- Losing the hart ---- */

SELFTEST(preempt_disabled,
	 "who disabled preemption keeps the hart until the outermost section ends")
{
	struct result_task task = make(SCHED_FIFO, ABOVE, run_parks, NULL);

	REQUIRE(t, !task.err);
	preempt_disable();
	preempt_disable();
	task_unpark(task.value);
	CHECK_EQ(t, steps, 0);
	preempt_enable();
	CHECK_EQ(t, steps, 0);
	preempt_enable();
	CHECK_EQ(t, steps, 1);
	end(t, task);
}

static void unpark_helper(struct callout *callout);

static struct {
	struct callout callout;
	struct task *task;
} waker = { .callout = { .run = unpark_helper } };

static void unpark_helper(struct callout *callout)
{
	(void)callout;
	task_unpark(waker.task);
}

/* Some instructions, so that the interrupt comes at another one each time. */
static void shift(u32 turns)
{
	while (turns--)
		barrier();
}

SELFTEST(preempt_any_instruction,
	 "a wake-up is not lost, at whichever instruction of a section the interrupt comes")
{
	struct result_task task = make(SCHED_FIFO, ABOVE, run_parks, NULL);

	REQUIRE(t, !task.err);
	waker.task = task.value;
	for (u32 i = 1; i <= 1000 && !t->failures; i++) {
		u64 end_ns;

		callout_arm(&waker.callout, time_ticks() + 5);
		end_ns = time_now_ns() + (selftest_untimed ? NS_PER_SECOND : 2000);
		shift(i % 50);
		while (time_now_ns() < end_ns && steps < i) {
			preempt_disable();
			preempt_disable();
			preempt_enable();
			preempt_enable();
		}
		CHECK_EQ(t, steps, i);
	}
	callout_cancel_sync(&waker.callout);
	end(t, task);
}

SELFTEST(preempt_lock, "who holds a lock keeps the hart until it is released")
{
	static struct spinlock lock = SPINLOCK_INIT(LOCK_IRQ);
	struct result_task task = make(SCHED_FIFO, ABOVE, run_parks, NULL);
	bool irqs;

	REQUIRE(t, !task.err);
	irqs = spin_lock_irqsave(&lock);
	task_unpark(task.value);
	CHECK_EQ(t, steps, 0);
	spin_unlock_irqrestore(&lock, irqs);
	CHECK_EQ(t, steps, 1);
	end(t, task);
}

static u64 run_sleeps(void *arg)
{
	enum error err = task_sleep(*(u64 *)arg);

	steps++;
	return err;
}

SELFTEST(preempt_by_timer, "a task whose sleep is over takes the hart from one that computes")
{
	u64 sleep = NS_PER_MS;
	struct result_task task = make(SCHED_FIFO, ABOVE, run_sleeps, &sleep);
	u64 end_ns = time_now_ns() + 20 * NS_PER_MS;

	REQUIRE(t, !task.err);
	while (steps == 0 && time_now_ns() < end_ns)
		barrier();
	CHECK_EQ(t, steps, 1);
	CHECK(t, !task_join(task.value).err);
}

/* ---- Taking turns ---- */

#define TURNS 64

static struct {
	u8 who[TURNS];
	u64 at[TURNS];
	volatile u32 count;
} turns;

/* Writes down each time that it got the hart from the other. */
static u64 run_turns(void *arg)
{
	u8 me = (u8)(uptr)arg;

	for (;;) {
		u32 count = turns.count;

		if (count == 0 || turns.who[count - 1] != me) {
			if (count == TURNS)
				return 0;
			turns.who[count] = me;
			turns.at[count] = time_now_ns();
			turns.count = count + 1;
		}
	}
}

SELFTEST(rr_rotates, "tasks of SCHED_RR take turns of one quantum; nobody has to yield")
{
	u64 quantum = CONFIG_SCHED_QUANTUM_US * 1000UL;
	struct sched_params high = { .policy = SCHED_FIFO, .priority = ABOVE + 1 }, old;
	struct result_task first, second;

	sched_get(task_current(), &old);
	REQUIRE(t, !sched_set(task_current(), &high));
	turns.count = 0;
	first = make(SCHED_RR, ABOVE, run_turns, (void *)1);
	second = make(SCHED_RR, ABOVE, run_turns, (void *)2);
	CHECK(t, !task_sleep(quantum * 10));
	end(t, first);
	end(t, second);
	CHECK(t, !sched_set(task_current(), &old));
	if (first.err || second.err)
		return;
	CHECK_TIMED(t, turns.count >= 9 && turns.count <= 11);
	for (u32 i = 2; i < turns.count; i++) {
		u64 took = turns.at[i] - turns.at[i - 1];

		CHECK(t, turns.who[i] == turns.who[i - 2]);
		CHECK_TIMED(t, took >= quantum - quantum / 100 && took <= quantum + quantum / 10);
	}
}

SELFTEST(fifo_stays, "tasks of SCHED_FIFO take no turns")
{
	struct sched_params high = { .policy = SCHED_FIFO, .priority = ABOVE + 1 }, old;
	struct result_task first, second;

	sched_get(task_current(), &old);
	REQUIRE(t, !sched_set(task_current(), &high));
	turns.count = 0;
	first = make(SCHED_FIFO, ABOVE, run_turns, (void *)1);
	second = make(SCHED_FIFO, ABOVE, run_turns, (void *)2);
	CHECK(t, !task_sleep(50 * NS_PER_MS));
	end(t, first);
	end(t, second);
	CHECK(t, !sched_set(task_current(), &old));
	if (!first.err && !second.err)
		CHECK_EQ(t, turns.count, 1);
}
