/*
 * Stage 3's figures: switching, waking, creating, picking.
 *
 * The runner itself is a task; bench.c gives it BENCH_PRIORITY. Under -icount shift=0 a tick of the
 * platform's timer is a whole number of cycles, so how long after a deadline something happened is a
 * subtraction.
 */
#include <arch/cpu.h>
#include <mazu/bench.h>
#include <mazu/board.h>
#include <mazu/page.h>
#include <mazu/printk.h>
#include <mazu/task.h>
#include <mazu/time.h>

#include "../../kernel/sched/runqueue.h"

/* ---- Helpers ---- */

static struct task *helper;

static void helper_begin(u64 (*run)(void *), u32 priority)
{
	struct task_attributes attributes = {
		.name = STR("helper"),
		.params = { .policy = SCHED_FIFO, .priority = priority },
		.kill_anywhere = true,
	};
	struct result_task made = task_create(&attributes, run, NULL);

	if (made.err)
		pr_err("bench: no helper");
	helper = made.value;
}

static void helper_end(void)
{
	if (!helper)
		return;
	task_kill(helper);
	if (task_join(helper).err)
		pr_err("bench: the helper stays");
	helper = NULL;
}

static u64 run_nothing(void *arg)
{
	(void)arg;
	return 0;
}

static bool yields_end;

static u64 run_yields(void *arg)
{
	(void)arg;
	while (!READ_ONCE(yields_end))
		task_yield();
	return 0;
}

static u64 run_hog(void *arg)
{
	(void)arg;
	for (;;)
		barrier();
	return 0;
}

/* ---- yield_roundtrip: to the other task of this priority and back ---- */

static void yield_begin(void)
{
	helper_begin(run_yields, BENCH_PRIORITY);
	task_yield();
}

static void yield_end(void)
{
	yields_end = true;
	helper_end();
}

BENCHMARK(yield_roundtrip, yield_begin, yield_end)
{
	task_yield();
	return 0;
}

/* ---- task_create_exit: made, switched to, ended, switched back, joined ---- */

BENCHMARK(task_create_exit, NULL, NULL)
{
	struct task_attributes attributes = {
		.name = STR("short"),
		.params = { .policy = SCHED_FIFO, .priority = BENCH_PRIORITY + 1 },
	};
	struct result_task made = task_create(&attributes, run_nothing, NULL);

	if (made.err || task_join(made.value).err)
		pr_err("bench: no task");
	return 0;
}

/* ---- deadline_to_task: from the tick to the first instruction after the call ---- */

static u64 deadline_round(void)
{
	static u64 odd;
	u64 cycles_per_tick = NS_PER_SECOND / board.timebase_hz;
	u64 when = time_ticks() + 50 + (odd += 7) % 31;

	if (task_sleep_until(time_ns_at(when)))
		return 0;
	return arch_cycles() - when * cycles_per_tick;
}

BENCHMARK_ROUNDS(deadline_to_task_idle, 10000, NULL, NULL)
{
	return deadline_round();
}

static void busy_begin(void)
{
	helper_begin(run_hog, BENCH_PRIORITY - 1);
}

BENCHMARK_ROUNDS(deadline_to_task_busy, 10000, busy_begin, helper_end)
{
	return deadline_round();
}

/* ---- pick: the next of ten, and of a thousand ---- */

#define CROWD 1000

static struct runqueue crowd_queue;
static struct task crowd_idle = { .class = &idle_class };
static struct task *crowd;
static u64 crowd_now;

static u32 crowd_order(void)
{
	u32 order = 0;

	while (PAGE_SIZE << order < CROWD * sizeof(struct task))
		order++;
	return order;
}

static void crowd_task(struct task *task, u32 number, const struct sched_class *class)
{
	*task = (struct task){
		.class = class,
		.state = TASK_RUNNABLE,
		.rq = &crowd_queue,
		.rt = { .quantum = 100 },
		.fair = { .weight = fair_weight((i32)(number % 7) - 3), .slice = 3000 },
		.budget = { .runtime = 10,
			    .deadline = 1000,
			    .period = 1000,
			    .until = 1000 + number * 37 % 1009,
			    .left = 10 },
	};
	rt_set_priority(&crowd_queue.rt, task, number % CONFIG_SCHED_NPRIO);
	class->enqueue(&crowd_queue, task, crowd_now);
}

static void crowd_begin(const struct sched_class *class, u32 count)
{
	struct result_ptr pages = page_alloc(crowd_order(), PAGE_TEST);

	if (pages.err) {
		pr_err("bench: no memory for a crowd");
		return;
	}
	crowd = pages.value;
	crowd_queue = (struct runqueue){ .current = &crowd_idle, .idle = &crowd_idle };
	crowd_now = 1000;
	runqueue_init(&crowd_queue, 0);
	for (u32 i = 0; i < count; i++)
		crowd_task(&crowd[i], i, class);
}

static void crowd_end(void)
{
	page_free(crowd, crowd_order());
}

static void rt_10(void)
{
	crowd_begin(&rt_fifo_class, 10);
}

static void rt_1000(void)
{
	crowd_begin(&rt_fifo_class, CROWD);
}

/* The first goes behind its equals, and who is first now? */
static u64 rt_round(void)
{
	struct task *task = rt_pick(&crowd_queue.rt);

	rt_fifo_class.yield(&crowd_queue, task, crowd_now);
	rt_pick(&crowd_queue.rt);
	return 0;
}

BENCHMARK(pick_rt_10, rt_10, crowd_end)
{
	return rt_round();
}

BENCHMARK(pick_rt_1000, rt_1000, crowd_end)
{
	return rt_round();
}

static void edf_10(void)
{
	crowd_begin(&dl_class, 10);
}

static void edf_1000(void)
{
	crowd_begin(&dl_class, CROWD);
}

/* The first gets its next deadline, and who is first now? */
static u64 edf_round(void)
{
	struct task *task = dl_pick(&crowd_queue.dl);

	dl_class.dequeue(&crowd_queue, task, crowd_now);
	task->budget.until += task->budget.period;
	dl_class.enqueue(&crowd_queue, task, crowd_now);
	dl_pick(&crowd_queue.dl);
	return 0;
}

BENCHMARK(pick_edf_10, edf_10, crowd_end)
{
	return edf_round();
}

BENCHMARK(pick_edf_1000, edf_1000, crowd_end)
{
	return edf_round();
}

static void fair_10(void)
{
	crowd_begin(&fair_class, 10);
}

static void fair_1000(void)
{
	crowd_begin(&fair_class, CROWD);
}

/* The first has its request, and who is first now? */
static u64 fair_round(void)
{
	struct task *task = fair_pick(&crowd_queue.fair);

	crowd_queue.current = task;
	fair_class.start(&crowd_queue, task);
	crowd_now += task->fair.slice;
	fair_class.charge(&crowd_queue, task, task->fair.slice, crowd_now);
	fair_class.stop(&crowd_queue, task);
	crowd_queue.current = &crowd_idle;
	fair_pick(&crowd_queue.fair);
	return 0;
}

BENCHMARK(pick_fair_10, fair_10, crowd_end)
{
	return fair_round();
}

BENCHMARK(pick_fair_1000, fair_1000, crowd_end)
{
	return fair_round();
}

/* ---- trace_event: an event of the ring ---- */

BENCHMARK(trace_event, NULL, NULL)
{
	trace(time_ticks(), TRACE_MARK, 1, 2);
	return 0;
}
