/*
 * Fair shares: SCHED_OTHER, by EEVDF.
 *
 * Each task has a weight, and is owed that part of the hart which its weight is of all weights
 * that are queued. Its vruntime is the time that it had, divided by its weight; the average of all of them by
 * weight is the virtual time V. What a task is owed is its lag, weight * (V - vruntime), and
 * the sum of all lags is 0 by the definition of V, whoever comes and goes.
 *
 * Tasks ask for the hart in requests of one slice. A request is there from the virtual time at which the
 * task has had what it was owed, its vruntime, and should be done a slice / weight of virtual time
 * later: its virtual deadline. fair_pick.c chooses among those that are not ahead of their
 * share the one with the earliest; it runs until its request is used up. So nobody is further than a slice from
 * its share (their theorem 1) as long as nobody comes or goes with a lag.
 *
 * Who leaves keeps its lag, as service, so that it means the same if the weight changes meanwhile, up to
 * one slice either way: what was missed longer ago is not made up for. Who comes gets it back in
 * full: the others' average moves by lag / their weights the other way. Leaving and coming back at
 * once changes nothing; only the request begins anew. (Stoica and Abdel-Wahab's equation 19 divides by
 * all weights, which loses a part.) Who finds the queue empty has nobody to owe anything.
 *
 * Numbers: one tick is 1 << FAIR_VIRTUAL_SHIFT divided by the weight, so that one unit is less than a tenth
 * of a tick at any weight; what a division leaves goes into the next. Weights are 15 to 88818 (below 2^17).
 * The slice is at most 2^20 ticks, so a lag of one slice is 2^40, and 2^37 of virtual time. `weighted`
 * is counted from `zero`, which follows V at each coming, going and end of a request: it stays below 2^63 as
 * long as all lags together are below 2^22 slices, which is more than there can be tasks.
 *
 * The core charges the running task when it switches, but others come and go in between: so coming and going
 * charge it first, up to now (fair->charged), and the core's charge then is for the rest.
 *
 * Source: Stoica, Abdel-Wahab, "Earliest Eligible Virtual Deadline First: A Flexible and Accurate
 * Mechanism for Proportional Share Resource Allocation", Old Dominion University TR 95-22, 1995.
 */
#include "runqueue.h"

/* One charge counts for 30 hours at most: only who is alone is not looked at for so long, and owes nobody. */
#define CHARGE_MAX (1UL << 40)

static struct task *task_of(const struct rb_node *node)
{
	return container_of(node, struct task, fair.node);
}

/* A nice level is a factor of 5/4, and 0 is 1024; rounded. 5^20 * 2^10 has 57 bits. */
u32 fair_weight(i32 nice)
{
	u32 steps = (u32)(nice < 0 ? MIN(-(i64)nice, 20) : MIN(nice, 19));
	u64 fives = 1, fours = 1UL << 2 * steps;

	for (u32 i = 0; i < steps; i++)
		fives *= 5;
	if (nice < 0)
		return (u32)(((fives << FAIR_SHIFT) + fours / 2) / fours);
	return (u32)(((fours << FAIR_SHIFT) + fives / 2) / fives);
}

/* ---- The tree ---- */

static u64 least(u64 a, const struct rb_node *node)
{
	u64 b = node ? task_of(node)->fair.vruntime_min : a;

	return rb_before(b, a) ? b : a;
}

static bool fair_update(struct rb_node *node)
{
	struct fair_task *self = &task_of(node)->fair;
	u64 before = self->vruntime_min;

	self->vruntime_min = least(least(self->vruntime, node->left), node->right);
	return self->vruntime_min != before;
}

void fair_queue_init(struct fair_queue *fair)
{
	*fair = (struct fair_queue){ .tree = { .update = fair_update } };
}

/* ---- Virtual time ---- */

/*
 * V, rounded down so that who comes there is eligible; `zero` moves there. Of an empty queue: where it
 * was when the last one left.
 */
static u64 virtual_time(struct fair_queue *fair)
{
	if (fair->weight) {
		i64 ahead = fair->weighted / (i64)fair->weight;

		if (ahead * (i64)fair->weight > fair->weighted)
			ahead--;
		fair->zero += (u64)ahead;
		fair->weighted -= ahead * (i64)fair->weight;
	}
	return fair->zero;
}

static i64 weighted(const struct fair_queue *fair, const struct fair_task *task)
{
	return (i64)(task->vruntime - fair->zero) * (i64)task->weight;
}

static void begin_request(struct fair_task *task)
{
	task->used = 0;
	task->node.key = task->vruntime + (task->slice << FAIR_VIRTUAL_SHIFT) / task->weight;
}

/* The request of the running task is over, used up or not; whose turn is it now? */
static void end_request(struct runqueue *rq, struct fair_task *task)
{
	begin_request(task);
	virtual_time(&rq->fair);
	if (rq->fair.count > 1)
		sched_want_locked(rq);
}

/* The task had the hart for `ticks` more. */
static void advance(struct fair_queue *fair, struct fair_task *task, u64 ticks)
{
	u64 service = (MIN(ticks, CHARGE_MAX) << FAIR_VIRTUAL_SHIFT) + task->rest;
	u64 step = service / task->weight;

	task->rest = (u32)(service - step * task->weight);
	task->vruntime += step;
	fair->weighted += (i64)(step * task->weight);
	task->used += ticks;
}

static void fair_charge(struct runqueue *rq, struct task *task, u64 ticks, u64 now)
{
	struct fair_queue *fair = &rq->fair;
	u64 since = now - ticks;

	if (rb_before(since, fair->charged))
		since = fair->charged;
	if (!rb_before(since, now))
		return;
	fair->charged = now;
	advance(fair, &task->fair, now - since);
	if (task->fair.used >= task->fair.slice)
		end_request(rq, &task->fair);
}

/* Before V is used: it is that of now. */
static void catch_up(struct runqueue *rq, u64 now)
{
	if (rq->fair.current)
		fair_charge(rq, rq->fair.current, now - rq->charged, now);
	else
		rq->fair.charged = now;
}

/* ---- Coming and going ---- */

static void fair_enqueue(struct runqueue *rq, struct task *task, u64 now)
{
	struct fair_queue *fair = &rq->fair;
	struct fair_task *self = &task->fair;

	catch_up(rq, now);
	self->vruntime = virtual_time(fair);
	if (self->lag && fair->weight)
		self->vruntime -=
			(u64)(self->lag / (i64)self->weight + self->lag / (i64)fair->weight);
	begin_request(self);
	fair->weighted += weighted(fair, self);
	fair->weight += self->weight;
	fair->count++;
	if (unlikely(task == rq->current)) {
		fair->current = task;
		return;
	}
	rb_insert(&fair->tree, &self->node);
	if (fair->current && fair->count == 2) /* its request had no end as long as it was alone */
		sched_want_locked(rq);
}

static void fair_dequeue(struct runqueue *rq, struct task *task, u64 now)
{
	struct fair_queue *fair = &rq->fair;
	struct fair_task *self = &task->fair;
	i64 slice = (i64)(self->slice << FAIR_VIRTUAL_SHIFT);

	catch_up(rq, now);
	virtual_time(fair);
	self->lag = MAX(MIN(-weighted(fair, self), slice), -slice);
	fair->weighted -= weighted(fair, self);
	fair->weight -= self->weight;
	fair->count--;
	if (fair->current == task)
		fair->current = NULL;
	else
		rb_remove(&fair->tree, &self->node);
}

/* ---- Running ---- */

static void fair_start(struct runqueue *rq, struct task *task)
{
	rb_remove(&rq->fair.tree, &task->fair.node);
	rq->fair.current = task;
}

static void fair_stop(struct runqueue *rq, struct task *task)
{
	rq->fair.current = NULL;
	rb_insert(&rq->fair.tree, &task->fair.node);
}

static u64 fair_expires(struct runqueue *rq, const struct task *task, u64 now)
{
	return rq->fair.count > 1 ? now + (task->fair.slice - task->fair.used) : UINT64_MAX;
}

/* What is left of the request goes to the others, as if the task had used it up. Alone, there are none. */
static void fair_yield(struct runqueue *rq, struct task *task, u64 now)
{
	struct fair_task *self = &task->fair;
	i64 rest;

	catch_up(rq, now);
	rest = (i64)(self->node.key - self->vruntime);
	if (rq->fair.count == 1 || rest <= 0)
		return;
	self->vruntime += (u64)rest;
	rq->fair.weighted += rest * (i64)self->weight;
	end_request(rq, self);
}

/*
 * The pick looks then, as at the end of a turn, and may find another: one with an earlier deadline still who
 * became eligible in the middle of this turn.
 */
static bool fair_preempts(const struct runqueue *rq, const struct task *task,
			  const struct task *current)
{
	return rb_before(task->fair.node.key, current->fair.node.key) &&
	       fair_is_eligible(&rq->fair, task->fair.vruntime);
}

const struct sched_class fair_class = {
	.name = STR("fair"),
	.rank = RANK_FAIR,
	.enqueue = fair_enqueue,
	.dequeue = fair_dequeue,
	.start = fair_start,
	.stop = fair_stop,
	.charge = fair_charge,
	.expires = fair_expires,
	.yield = fair_yield,
	.preempts = fair_preempts,
	.check = fair_check,
};
