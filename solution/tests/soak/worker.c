/*
 * What the tasks of the soak test do, and what each of them sees to itself: that it does not wake too
 * early, that waiting says why it ended, and that its stack and registers are its own.
 */
#include <mazu/kmalloc.h>
#include <mazu/preempt.h>
#include <mazu/time.h>

#include "../host/random.h"
#include "soak.h"

#define NS_PER_US 1000UL
#define STEPS_MAX 400
/* A gap longer than this between two looks at the clock was not ours. */
#define STEP_TICKS_MAX 20

void soak_work(u64 ns)
{
	u64 left = time_ticks_for(ns), last = time_ticks();

	while (left) {
		u64 now, step;

		for (u32 i = 0; i < 64; i++)
			barrier(); /* QEMU is slow at reading a clock */
		now = time_ticks();
		step = now - last;
		last = now;
		left -= MIN(left, step > STEP_TICKS_MAX ? 0 : step);
	}
}

/* ---- What a task may do ---- */

static void sleep(u64 *random)
{
	u64 until = time_now_ns() + soak_between(random, 0, 40 * NS_PER_MS);
	enum error err = task_sleep_until(until);

	soak_expect(err == (task_is_killed() ? ERR_INTR : OK), "sleep: error", err, OK);
	soak_expect(err || time_now_ns() >= until, "sleep: too early", time_now_ns(), until);
}

static void park(u64 *random)
{
	u64 until = time_now_ns() + soak_between(random, 0, 60 * NS_PER_MS);
	enum error err = task_park_until(until);

	soak_expect(!err || err == ERR_TIMEOUT || (err == ERR_INTR && task_is_killed()),
		    "park: error", err, OK);
	soak_expect(err != ERR_TIMEOUT || time_now_ns() >= until, "park: too early", time_now_ns(),
		    until);
}

/* Somebody else may change the parameters at this very moment, so any answer is right but these. */
static void next_period(void)
{
	enum error err = task_next_period();

	soak_expect(!err || err == ERR_INVAL || err == ERR_TIMEOUT || task_is_killed(),
		    "next period: error", err, OK);
	if (err == ERR_INVAL)
		task_sleep(NS_PER_MS);
}

static void change(u64 *random)
{
	struct sched_params params = soak_params(random, SOAK_MIXED);
	enum error sense = sched_params_check(&params);
	enum error err = sched_set(task_current(), &params);

	soak_expect(err == sense || (!sense && (err == ERR_BUSY || err == ERR_NOSPC)),
		    "change of its own: error", err, sense);
}

static u64 child(void *ns)
{
	soak_work((uptr)ns);
	return (uptr)ns;
}

static void have_child(u64 *random)
{
	u64 ns = soak_between(random, 1, 50) * NS_PER_US;
	struct task_attributes attributes = {
		.name = STR("child"),
		.params = soak_params(random, SOAK_MIXED),
		.kill_anywhere = true,
	};
	struct result_task task = task_create(&attributes, child, (void *)(uptr)ns);
	bool kill = random_below(random, 4) == 0;
	struct result_u64 end;

	if (task.err)
		return;
	if (kill)
		task_kill(task.value);
	end = task_join(task.value);
	soak_expect(!end.err, "child: error", end.err, OK);
	soak_expect(end.value == ns || (kill && end.value == TASK_KILLED), "child: result",
		    end.value, ns);
}

static void be_alone(u64 *random)
{
	size_t size = soak_between(random, 1, 3000);
	struct result_ptr memory = kmalloc(size);

	preempt_disable();
	soak_work(soak_between(random, 1, 10) * NS_PER_US);
	preempt_enable();
	if (!memory.err)
		task_yield();
	kfree(memory.value, size);
}

static void do_something(u64 *random)
{
	switch (random_below(random, 16)) {
	case 0: have_child(random); break;
	case 1: change(random); break;
	case 2: be_alone(random); break;
	case 3:
	case 4: task_yield(); break;
	case 5: task_unpark(task_current()); break;
	case 6: soak_work(soak_between(random, 0, 1500 * NS_PER_US)); break;
	case 7:
	case 8: soak_work(soak_between(random, 0, 500 * NS_PER_US)); break;
	case 9:
	case 10: next_period(); break;
	case 11:
	case 12: park(random); break;
	default: sleep(random); break;
	}
}

/* ---- The tasks ---- */

u64 soak_mixed(void *arg)
{
	struct soak_slot *slot = arg;
	u64 random = slot->random, result = slot->result;
	u64 steps = soak_between(&random, 1, STEPS_MAX);
	volatile u64 own[64];

	for (u32 i = 0; i < ARRAY_SIZE(own); i++)
		own[i] = result + i;
	while (steps-- && !task_is_killed())
		do_something(&random);
	for (u32 i = 0; i < ARRAY_SIZE(own); i++)
		soak_expect(own[i] == result + i, "stack", own[i], result + i);
	return result;
}

u64 soak_hog(void *arg)
{
	(void)arg;
	for (;;)
		barrier();
	return 0;
}

/* Half of the budget is the task's; the rest is for the interrupts that it is charged for. */
u64 soak_jobs(void *arg)
{
	struct soak_slot *slot = arg;
	u64 random = slot->random, result = slot->result,
	    steps = soak_between(&random, 1, STEPS_MAX);
	struct sched_params params;
	enum error err = OK;

	sched_get(task_current(), &params);
	while (steps-- && err != ERR_INTR) {
		soak_work(soak_between(&random, 0, params.runtime_ns / 2));
		err = task_next_period();
		soak_expect(!err || (err == ERR_INTR && task_is_killed()), "job: error", err, OK);
	}
	return result;
}
