/*
 * Which ordinary task is next: the earliest virtual deadline of those that are eligible.
 *
 * A task is eligible when it has had no more than its share: its vruntime is at most the virtual time V,
 * the average of all vruntimes by weight. V itself is never computed here, because a quotient is
 * rounded, and a task that is exactly on time would come out late or not by chance. With both sides times the
 * sum of the weights, and counted from `zero`,
 *
 *	vruntime <= V   is   (vruntime - zero) * sum of weights <= sum of (vruntime - zero) * weight
 *
 * and the right side is kept up to date in fair->weighted. The product has 128 bits, which are two
 * multiplications on this machine and cannot overflow.
 *
 * The tree is ordered by virtual deadline, and each node knows the least vruntime in its subtree. So a
 * subtree has somebody eligible exactly when its least vruntime is eligible, and one way down finds the
 * first: to the left whenever somebody there is eligible, else here, else to the right. The least
 * of all is never above the average, so if anybody is queued somebody is eligible.
 *
 * The running task is not in the tree, and takes part. Of equal deadlines that in the tree wins: it has waited.
 *
 * Source: Stoica, Abdel-Wahab, "Earliest Eligible Virtual Deadline First", TR 95-22, 1995.
 */
#include "runqueue.h"

bool fair_is_eligible(const struct fair_queue *fair, u64 vruntime)
{
	/*
	 * A task is eligible when its vruntime is at most the average of all that are queued,
	 * by weight. fair->weighted is the sum of (vruntime - zero) * weight, fair->weight the
	 * sum of the weights. Virtual times wrap: only the difference to fair->zero, as a
	 * signed number, means anything. Do not divide: C rounds towards zero, which is wrong
	 * for a negative sum. Multiply instead; the product needs more than 64 bits (__int128).
	 */
	LAB_TODO(3, 4);
}

struct task *fair_pick(const struct fair_queue *fair)
{
	/*
	 * Of those that are eligible return the one with the earliest virtual deadline
	 * (fair.node.key), NULL if nobody is queued. The tree (fair->tree.root, left, right) is
	 * ordered by deadline, equal ones by arrival, and fair.vruntime_min of a node is the
	 * least vruntime in its subtree: so a subtree has somebody eligible exactly when that
	 * is. Go down once: to the left if somebody there is eligible; else this task, if it
	 * is; else to the right. The running task (fair->current, or NULL) is not in the tree
	 * and takes part: it wins if it is eligible and its deadline is strictly earlier.
	 * Compare keys with rb_before: they wrap.
	 */
	LAB_TODO(3, 4);
}
/* mazu: lab 3 interface 3c361aabc912 */
