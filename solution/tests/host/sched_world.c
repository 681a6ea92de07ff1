/*
 * A hart on which time passes only in tasks: see sched_world.h.
 */
#include "sched_world.h"

#include "../../kernel/sched/callout_run.h"
#include "random.h"

#include <mazu/mem.h>
#include <mazu/panic.h>
#include <mazu/preempt.h>
#include <mazu/time.h>

struct sim sim;

static struct task idle;
static struct callout_queue callouts;
static struct {
	struct runqueue *rq;
	struct callout_queue *callouts;
	struct task *current;
	u32 preempt;
} kept; /* what the hart had before */

static void wake(struct callout *callout)
{
	struct task *task = container_of(callout, struct task, sleep);
	bool irqs = spin_lock_irqsave(&task->rq->lock);

	if (task->state == TASK_BLOCKED)
		sched_wake_locked(task->rq, task, callout->node.key);
	spin_unlock_irqrestore(&task->rq->lock, irqs);
}

void sim_begin(u64 seed)
{
	struct pcpu *cpu = this_cpu();

	kept.rq = cpu->rq;
	kept.callouts = cpu->callouts;
	kept.current = cpu->current;
	kept.preempt = cpu->preempt;
	memset(&sim, 0, sizeof(sim));
	sim.seed = seed;
	idle = (struct task){ .class = &idle_class, .state = TASK_RUNNABLE };
	callout_queue_init(&callouts);
	cpu->callouts = &callouts;
	cpu->preempt = PREEMPT_QUIET;
	runqueue_prepare(cpu->index);
	sched_begin(&idle, &idle);
	idle.rq = sim.rq = cpu->rq;
}

static void end(struct sim_task *task)
{
	bool irqs;

	spin_lock(&admission_lock);
	admission_end_locked(&task->task);
	spin_unlock(&admission_lock);
	irqs = spin_lock_irqsave(&sim.rq->lock);
	callout_cancel(&task->task.sleep);
	sched_leave_locked(sim.rq, &task->task, time_ticks());
	spin_unlock_irqrestore(&sim.rq->lock, irqs);
}

void sim_end(void)
{
	struct pcpu *cpu = this_cpu();

	for (u32 i = 0; i < sim.count; i++)
		end(&sim.tasks[i]);
	host_ticks += 1UL << 44; /* until then no reservation lasts */
	cpu->rq = kept.rq;
	cpu->callouts = kept.callouts;
	cpu->current = kept.current;
	cpu->preempt = kept.preempt;
}

struct sim_task *sim_task(const struct sched_params *params, struct sched_domain *domain,
			  void (*done)(struct sim_task *sim))
{
	struct sim_task *new = &sim.tasks[sim.count];
	struct task *task = &new->task;

	if (sim.count == SIM_TASKS)
		panic("sim: too many tasks");
	memset(new, 0, sizeof(*new));
	task->rq = sim.rq;
	task->affinity = UINT64_MAX;
	task->state = TASK_NEW;
	task->id = sim.count + 1;
	callout_init(&task->sleep, wake);
	budget_init(&task->budget);
	new->done = done;
	if (sched_start(task, params, domain))
		return NULL;
	sim.count++;
	return new;
}

void sim_sleep_until(struct sim_task *task, u64 when)
{
	bool irqs = spin_lock_irqsave(&sim.rq->lock);

	if (sim.rq->current != &task->task)
		panic("sim: task %u sleeps while another runs", task->task.id);
	callout_arm(&task->task.sleep, when);
	sched_block_locked(sim.rq, 2);
	spin_unlock_irqrestore(&sim.rq->lock, irqs);
}

void sim_wake(struct sim_task *task)
{
	callout_cancel(&task->task.sleep);
	wake(&task->task.sleep);
}

void sim_set(struct sim_task *task, const struct sched_params *params)
{
	if (sched_set(&task->task, params))
		panic("sim: parameters of task %u refused", task->task.id);
}

struct sim_task *sim_running(void)
{
	struct task *task = sim.rq->current;

	return task == &idle ? NULL : container_of(task, struct sim_task, task);
}

/* ---- Time ---- */

static u64 later(u64 moment)
{
	return moment == UINT64_MAX || !sim.late ? moment
						 : moment + random_below(&sim.seed, sim.late + 1);
}

/* The clock goes on to the next event: an interrupt, the end of some work, `until`. */
static void advance(u64 until)
{
	struct sim_task *task = sim_running();
	u64 from = host_ticks;
	u64 next = later(MIN(callout_next(&callouts), sim.rq->expires));

	next = MAX(MIN(next, until), from);
	if (task && task->work < next - from)
		next = from + task->work;
	host_ticks = next;
	if (task) {
		task->served += next - from;
		task->work -= task->work == SIM_FOREVER ? 0 : next - from;
	}
	if (sim.ran && next != from)
		sim.ran(task, from);
}

static void interrupt(void)
{
	while (callout_run(&callouts, host_ticks) || sim.rq->expires <= host_ticks)
		if (callout_next(&callouts) > host_ticks && sim.rq->expires <= host_ticks)
			sched_expired(sim.rq, host_ticks);
}

static void switch_if_due(void)
{
	bool irqs;

	if (!preempt_is_due(this_cpu()))
		return;
	irqs = spin_lock_irqsave(&sim.rq->lock);
	schedule_locked(sim.rq);
	sim.switches++;
	spin_unlock_irqrestore(&sim.rq->lock, irqs);
}

void sim_run_until(u64 until)
{
	u64 stuck = 0, last = host_ticks;

	switch_if_due();
	while (host_ticks < until) {
		struct sim_task *task;

		advance(until);
		task = sim_running();
		if (task && !task->work)
			task->done(task);
		interrupt();
		switch_if_due();
		sched_check_locked(sim.rq);
		stuck = host_ticks == last ? stuck + 1 : 0;
		last = host_ticks;
		if (stuck > 1000)
			panic("sim: time stands still at %lu", host_ticks);
	}
}

void sim_run(u64 ticks)
{
	sim_run_until(host_ticks + ticks);
}
