/*
 * rbtree_model.h - a red-black tree (rbtree.h) beside a sorted array, for tests on the host and in the guest.
 *
 * Each call here does the same to both. rb_pair_agrees() compares all of what they hold: the order,
 * links and colours of the tree, the first, and each node's summary, which is the least `value`
 * in its subtree.
 */
#ifndef LIB_RBTREE_MODEL_H
#define LIB_RBTREE_MODEL_H

#include <mazu/rbtree.h>

#define MODEL_NODES 256

struct rb_item {
	struct rb_node node;
	u64 value;
	u64 least; /* of the values in the node's subtree */
};

struct rb_pair {
	struct rb_tree tree;
	struct rb_item items[MODEL_NODES];
	u32 order[MODEL_NODES]; /* indices of items, as the tree should have them */
	u32 count;
};

/* Empty, with a summary or without. */
void rb_pair_init(struct rb_pair *pair, bool summary);

bool rb_pair_has(const struct rb_pair *pair, u32 index);

/* Puts an item that is not there. */
void rb_pair_insert(struct rb_pair *pair, u32 index, u64 key, u64 value);
/* Takes one that is. */
void rb_pair_remove(struct rb_pair *pair, u32 index);
/* Changes the value of one that is there. */
void rb_pair_update(struct rb_pair *pair, u32 index, u64 value);

bool rb_pair_agrees(const struct rb_pair *pair);

/* One change of any kind, chosen by a number that is random in all its bits. Keys are from a small range. */
void rb_pair_step(struct rb_pair *pair, u64 random);

#endif
