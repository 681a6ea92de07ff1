/*
 * Turns of SCHED_RR.
 *
 * A quantum is time that a task had, not time that passed: who is preempted by something more urgent
 * keeps the rest of it. When it is used up the task goes behind the others of its priority and
 * begins a new one; alone at its priority, it simply begins a new one.
 *
 * Source: IEEE Std 1003.1-2017, section 2.8.4 (SCHED_RR).
 */
#include "runqueue.h"

void rt_quantum(struct runqueue *rq, struct task *task, u64 ticks)
{
	if (ticks < task->rt.quantum_left) {
		task->rt.quantum_left -= ticks;
		return;
	}
	task->rt.quantum_left = task->rt.quantum;
	if (rt_is_alone(&rq->rt, task))
		return;
	rt_move_back(&rq->rt, task);
	sched_want_locked(rq);
}
