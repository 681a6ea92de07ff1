/*
 * rbtree.h - a balanced tree of what has a time.
 *
 * A red-black tree whose nodes lie inside what they order. The key is a u64 that may wrap: two keys
 * are compared by their difference, so all keys of a tree lie within half of all numbers. Equal keys
 * keep the order in which they came. The first node is at hand; inserting and removing take
 * O(log n), at most 2 log2(n + 1) levels, and allocate nothing.
 *
 * A tree may carry a summary of each subtree: `update` computes a node's own from the node and its
 * children, and says whether it is another than before. It is called from below, from where the tree changed up to
 * where the summary did not.
 *
 * The tree owns nothing; whoever holds it says which lock guards it. Callouts, EDF and EEVDF use it.
 * Source: Guibas, Sedgewick 1978; Cormen et al., Introduction to Algorithms, chapter 13.
 */
#ifndef MAZU_RBTREE_H
#define MAZU_RBTREE_H

#include <mazu/types.h>

struct rb_node {
	u64 key;
	uptr parent; /* bit 0: black. 0: the node is of no tree; a root is black, so its is 1 */
	struct rb_node *left;
	struct rb_node *right;
};

struct rb_tree {
	struct rb_node *root;
	struct rb_node *first;		      /* the smallest; NULL: empty */
	bool (*update)(struct rb_node *node); /* NULL: no summary */
};

/* Whether a comes before b. */
static inline bool rb_before(u64 a, u64 b)
{
	return (i64)(a - b) < 0;
}

/* A node that is all zero is of no tree. */
static inline bool rb_is_queued(const struct rb_node *node)
{
	return node->parent != 0;
}

/* By its key, behind all that have the same. The node is of no tree. */
void rb_insert(struct rb_tree *tree, struct rb_node *node);

/* The node is of this tree; afterwards of none. */
void rb_remove(struct rb_tree *tree, struct rb_node *node);

/*
 * The same for the first of a tree without a summary. A red first node is a leaf and a left child, and nothing
 * needs repair: most timers expire like this.
 */
static inline void rb_remove_first(struct rb_tree *tree)
{
	struct rb_node *first = tree->first;
	uptr parent = first->parent;

	if (unlikely(parent & 1)) {
		rb_remove(tree, first);
		return;
	}
	tree->first = (struct rb_node *)parent;
	tree->first->left = NULL;
	first->parent = 0;
}

static inline struct rb_node *rb_first(const struct rb_tree *tree)
{
	return tree->first;
}

/* In order; NULL after the last. */
struct rb_node *rb_next(const struct rb_node *node);

/* The node above; NULL: the root. */
static inline struct rb_node *rb_parent(const struct rb_node *node)
{
	return (struct rb_node *)(node->parent & ~1UL);
}

/* For a node of a tree whose summary changed in place: brings those above it up to date. */
void rb_updated(struct rb_tree *tree, struct rb_node *node);

#endif
