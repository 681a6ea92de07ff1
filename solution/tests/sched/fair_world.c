/*
 * A hart with ordinary tasks: see fair_world.h.
 */
#include "fair_world.h"

#include <mazu/mem.h>

struct fair_world fair_world;

void world_init(struct fair_world *world, u64 now)
{
	memset(world, 0, sizeof(*world));
	world->now = now;
	world->rq.cpu = &world->cpu;
	world->rq.charged = now;
	world->rq.expires = UINT64_MAX;
	world->rq.idle = &world->idle;
	world->rq.current = &world->idle;
	world->rq.best = &world->idle;
	fair_queue_init(&world->rq.fair);
}

void world_task(struct fair_world *world, u32 number, u32 weight, u64 slice)
{
	world->tasks[number] = (struct task){
		.class = &fair_class,
		.rq = &world->rq,
		.id = number,
		.state = TASK_BLOCKED,
		.fair = { .weight = weight, .slice = slice },
	};
	world->service[number] = 0;
}

void world_nice_0(u32 count)
{
	world_init(&fair_world, 123456789);
	for (u32 i = 0; i < count; i++)
		world_task(&fair_world, i, 1024, WORLD_SLICE);
}

void world_wake_all(u32 count)
{
	for (u32 i = 0; i < count; i++)
		world_wake(&fair_world, i);
}

bool world_is_queued(const struct fair_world *world, u32 number)
{
	return world->tasks[number].state == TASK_RUNNABLE;
}

u32 world_running(const struct fair_world *world)
{
	const struct task *task = world->rq.current;

	return task == &world->idle ? WORLD_TASKS : (u32)(task - world->tasks);
}

/* ---- What the core does ---- */

static void charge(struct fair_world *world)
{
	struct runqueue *rq = &world->rq;
	u64 ticks = world->now - rq->charged;
	u32 number = world_running(world);

	rq->charged = world->now;
	if (number == WORLD_TASKS)
		return;
	world->service[number] += ticks;
	if (world_is_queued(world, number))
		fair_class.charge(rq, rq->current, ticks, world->now);
}

static void came(struct fair_world *world, const struct task *task)
{
	world->order[task - world->tasks] = ++world->orders;
}

static void switch_to(struct fair_world *world, struct task *to)
{
	struct runqueue *rq = &world->rq;
	struct task *from = rq->current;

	if (from != &world->idle && from->state == TASK_RUNNABLE) {
		fair_class.stop(rq, from);
		came(world, from);
	}
	if (to != &world->idle)
		fair_class.start(rq, to);
	rq->current = to;
}

void world_schedule(struct fair_world *world)
{
	struct runqueue *rq = &world->rq;
	struct task *to;

	charge(world);
	if (!rq->best && world->watch)
		world->watch(world);
	to = rq->best ? rq->best : fair_pick(&rq->fair);
	if (!to)
		to = &world->idle;
	if (to != rq->current)
		switch_to(world, to);
	rq->best = to;
	rq->expires = UINT64_MAX;
	if (to != &world->idle)
		rq->expires = fair_class.expires(rq, to, world->now);
	fair_class.check(rq);
}

void world_wake(struct fair_world *world, u32 number)
{
	struct runqueue *rq = &world->rq;
	struct task *task = &world->tasks[number];

	task->state = TASK_RUNNABLE;
	fair_class.enqueue(rq, task, world->now);
	came(world, task);
	if (rq->best == &world->idle)
		rq->best = task;
	else if (rq->best && fair_class.preempts(rq, task, rq->best))
		rq->best = NULL;
}

void world_sleep(struct fair_world *world, u32 number)
{
	struct runqueue *rq = &world->rq;
	struct task *task = &world->tasks[number];

	if (rq->current == task)
		charge(world);
	fair_class.dequeue(rq, task, world->now);
	task->state = TASK_BLOCKED;
	if (task == rq->best || task == rq->current)
		sched_want_locked(rq);
}

void world_weight(struct fair_world *world, u32 number, u32 weight)
{
	bool queued = world_is_queued(world, number);

	charge(world);
	if (queued)
		world_sleep(world, number);
	world->tasks[number].fair.weight = weight;
	if (queued)
		world_wake(world, number);
}

void world_yield(struct fair_world *world)
{
	fair_class.yield(&world->rq, world->rq.current, world->now);
	sched_want_locked(&world->rq);
}

/* ---- Time ---- */

/* To the next moment at which something is decided, or to `until`. */
static void step(struct fair_world *world, u64 until)
{
	struct runqueue *rq = &world->rq;
	u64 end = rq->expires == UINT64_MAX ? until : MIN(until, rq->expires + world->late);

	if (world->quantum && world->now + world->quantum <= end) {
		end = world->now + world->quantum;
		sched_want_locked(rq);
	}
	world->now = end;
	charge(world);
	world_schedule(world);
}

void world_run(struct fair_world *world, u64 until)
{
	world_schedule(world);
	while (world->now < until)
		step(world, until);
}

struct str world_picture(struct fair_world *world, u64 unit, u32 units)
{
	for (u32 i = 0; i < units; i++) {
		u32 number;

		world_schedule(world);
		number = world_running(world);
		world->picture[i] = number == WORLD_TASKS ? '.' : (char)('A' + number);
		world_run(world, world->now + unit);
	}
	return (struct str){ world->picture, units };
}

u64 world_service(const struct fair_world *world, u32 number)
{
	bool running = number == world_running(world);

	return world->service[number] + (running ? world->now - world->rq.charged : 0);
}

i64 world_lag(const struct fair_world *world, u32 number)
{
	const struct fair_queue *fair = &world->rq.fair;
	const struct fair_task *task = &world->tasks[number].fair;
	i64 ahead = (i64)(task->vruntime - fair->zero) - fair->weighted / (i64)fair->weight;

	return -ahead * (i64)task->weight;
}
