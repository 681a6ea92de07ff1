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
	/*
	 * The running task had the hart for `ticks` more. As long as that is less than
	 * task->rt.quantum_left, take it off. Else its turn is over: it has a whole quantum
	 * (task->rt.quantum) again, and unless it is alone at its priority (rt_is_alone) it
	 * goes behind the others (rt_move_back), and a switch is asked for (sched_want_locked).
	 */
	LAB_TODO(3, 3);
}
/* mazu: lab 3 interface 9bc98308e36f */
