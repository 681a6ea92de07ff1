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
	__int128 ahead = (i64)(vruntime - fair->zero);

	return ahead * fair->weight <= fair->weighted;
}

struct task *fair_pick(const struct fair_queue *fair)
{
	struct task *current = fair->current;
	struct rb_node *node = fair->tree.root;

	while (node) {
		struct task *task = container_of(node, struct task, fair.node);

		if (node->left &&
		    fair_is_eligible(
			    fair,
			    container_of(node->left, struct task, fair.node)->fair.vruntime_min))
			node = node->left;
		else if (fair_is_eligible(fair, task->fair.vruntime))
			break;
		else
			node = node->right;
	}
	if (current && fair_is_eligible(fair, current->fair.vruntime) &&
	    (!node || rb_before(current->fair.node.key, node->key)))
		return current;
	return node ? container_of(node, struct task, fair.node) : NULL;
}
