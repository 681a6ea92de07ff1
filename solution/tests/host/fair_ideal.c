/*
 * The ideal hart: see fair_ideal.h.
 */
#include "fair_ideal.h"
#include "random.h"

#define UNIT ((long double)(1UL << FAIR_VIRTUAL_SHIFT))

struct fair_ideal fair_ideal[WORLD_TASKS];
struct fair_life fair_life;

/* ---- The reference ---- */

static u64 weights(u32 but)
{
	u64 sum = 0;

	for (u32 i = 0; i < fair_life.tasks; i++)
		if (i != but && world_is_queued(&fair_world, i))
			sum += fair_world.tasks[i].fair.weight;
	return sum;
}

void ideal_share(long double ticks, u32 but)
{
	u64 sum = weights(but);

	for (u32 i = 0; i < fair_life.tasks; i++)
		if (i != but && world_is_queued(&fair_world, i))
			fair_ideal[i].lag += ticks * fair_world.tasks[i].fair.weight / sum;
}

void ideal_settle(void)
{
	if (weights(WORLD_TASKS))
		ideal_share((long double)(fair_world.now - fair_life.settled), WORLD_TASKS);
	fair_life.settled = fair_world.now;
	for (u32 i = 0; i < fair_life.tasks; i++) {
		u64 service = world_service(&fair_world, i);

		fair_ideal[i].lag -= service - fair_ideal[i].service;
		fair_ideal[i].service = service;
	}
}

void ideal_leave(u32 number)
{
	long double slice = fair_world.tasks[number].fair.slice;

	ideal_settle();
	world_sleep(&fair_world, number);
	if (weights(WORLD_TASKS))
		ideal_share(fair_ideal[number].lag, WORLD_TASKS);
	fair_ideal[number].lag = MAX(-slice, MIN(slice, fair_ideal[number].lag));
	fair_life.moves++;
}

void ideal_come(u32 number)
{
	ideal_settle();
	if (weights(number))
		ideal_share(-fair_ideal[number].lag, number);
	else
		fair_ideal[number].lag = 0;
	world_wake(&fair_world, number);
	fair_life.moves++;
}

/* ---- The choice, by looking at all ---- */

/* No sum that the class keeps. */
bool ideal_is_eligible(u32 number)
{
	__int128 ahead = 0;

	for (u32 i = 0; i < fair_life.tasks; i++)
		if (world_is_queued(&fair_world, i))
			ahead += (__int128)(i64)(fair_world.tasks[number].fair.vruntime -
						 fair_world.tasks[i].fair.vruntime) *
				 fair_world.tasks[i].fair.weight;
	return ahead <= 0;
}

/* Whether a goes before b: by deadline; then who is in the tree, and there who came first. */
static bool goes_before(u32 a, u32 b)
{
	u64 ours = fair_world.tasks[a].fair.node.key, theirs = fair_world.tasks[b].fair.node.key;
	u32 running = world_running(&fair_world);

	if (ours != theirs)
		return rb_before(ours, theirs);
	return a != running && (b == running || fair_world.order[a] < fair_world.order[b]);
}

static struct task *best_of_all(void)
{
	u32 best = WORLD_TASKS;

	for (u32 i = 0; i < fair_life.tasks; i++)
		if (world_is_queued(&fair_world, i) && ideal_is_eligible(i) &&
		    (best == WORLD_TASKS || goes_before(i, best)))
			best = i;
	return best == WORLD_TASKS ? NULL : &fair_world.tasks[best];
}

static void check_pick(struct fair_world *of)
{
	fair_life.picks++;
	if (fair_pick(&of->rq.fair) != best_of_all())
		fair_life.wrong++;
	for (u32 i = 0; i < fair_life.tasks; i++)
		if (world_is_queued(of, i) &&
		    fair_is_eligible(&of->rq.fair, of->tasks[i].fair.vruntime) !=
			    ideal_is_eligible(i))
			fair_life.wrong++;
}

/* ---- A life ---- */

u32 ideal_random_weight(void)
{
	return fair_weight((i32)random_below(&fair_life.seed, 40) - 20);
}

void ideal_begin(u64 seed, u32 tasks, u32 slice)
{
	world_init(&fair_world, 1000);
	fair_world.rq.fair.zero = UINT64_MAX - (1UL << 22); /* virtual time wraps soon */
	fair_world.watch = check_pick;
	fair_life = (struct fair_life){
		.seed = seed, .tasks = tasks, .slice = slice, .settled = fair_world.now
	};
	for (u32 i = 0; i < tasks; i++) {
		world_task(&fair_world, i, ideal_random_weight(), slice);
		fair_ideal[i].lag = 0;
		fair_ideal[i].service = 0;
	}
}

/* What the class thinks of a queued task, to the last digit. */
static long double lag_of(u32 number)
{
	const struct fair_queue *fair = &fair_world.rq.fair;
	const struct fair_task *task = &fair_world.tasks[number].fair;
	long double average = (long double)fair->weighted / fair->weight;

	return (average - (i64)(task->vruntime - fair->zero)) * task->weight / UNIT;
}

static bool is_near(long double a, long double b, long double error)
{
	return a - b <= error && b - a <= error;
}

bool ideal_agrees(void)
{
	long double sum = 0, error = 1 + 0.3L * fair_life.moves;

	ideal_settle();
	for (u32 i = 0; i < fair_life.tasks; i++) {
		long double lag;

		if (!world_is_queued(&fair_world, i)) {
			lag = fair_world.tasks[i].fair.lag / UNIT;
		} else {
			lag = lag_of(i);
			sum += lag;
			fair_life.worst = MAX(fair_life.worst,
					      MAX(lag, -lag) / fair_world.tasks[i].fair.slice);
		}
		if (!is_near(lag, fair_ideal[i].lag, error))
			return false;
	}
	return is_near(sum, 0, 0.001L);
}

void ideal_adopt(void)
{
	for (u32 i = 0; i < fair_life.tasks; i++)
		fair_ideal[i].lag = world_is_queued(&fair_world, i)
					    ? lag_of(i)
					    : fair_world.tasks[i].fair.lag / UNIT;
	fair_life.moves = 0;
}
