/*
 * Red-black trees: see rbtree.h.
 *
 * The rules: the root is black, a red node has no red child, and every way down from a node to
 * where a child is missing passes the same number of black nodes. So the longest way is at most
 * twice the shortest.
 *
 * A new node is a red leaf, which breaks at most "no red child of a red node": the repair moves that up
 * until a rotation ends it. Removing is always removing a node with at most one child, because one that
 * has two trades places with the next in order first, which has no left child. Of those, only a
 * black leaf leaves a way that is one black node short, which again moves up until it is mended.
 *
 * Most trees of a kernel are tiny. With up to three nodes nothing has to be repaired ever, and with the
 * first at hand taking it out looks at its right child and its parent only: the way of a timer that
 * expires. That is why insert and remove are straight lines, and end with a call of the rest, if
 * at all.
 *
 * Summaries are made by the set of nodes in a subtree, not by its shape: so a rotation, after which the
 * same nodes hang below the same place, leaves all above as it was.
 */
#include <mazu/rbtree.h>

#define BLACK 1UL

static bool is_red(const struct rb_node *node)
{
	return node && !(node->parent & BLACK);
}

/* The parent is one thing, the colour another: neither disturbs the other. */
static void set_parent(struct rb_node *node, const struct rb_node *parent)
{
	node->parent = (uptr)parent | (node->parent & BLACK);
}

static void set_black(struct rb_node *node)
{
	node->parent |= BLACK;
}

static void set_red(struct rb_node *node)
{
	node->parent &= ~BLACK;
}

/* Left and right are mirror images: what holds for one is written once, for `right` or not. */
static struct rb_node **side(struct rb_node *node, bool right)
{
	return right ? &node->right : &node->left;
}

static inline void replace_child(struct rb_tree *tree, struct rb_node *parent,
				 const struct rb_node *old, struct rb_node *child)
{
	if (!parent)
		tree->root = child;
	else if (parent->left == old)
		parent->left = child;
	else
		parent->right = child;
}

/* From below: `node` and all above it. */
static inline void summarise(struct rb_tree *tree, struct rb_node *node)
{
	if (tree->update)
		for (; node; node = rb_parent(node))
			tree->update(node);
}

/* The child on that side rises above `top`, which sinks to the other side. */
static void rotate(struct rb_tree *tree, struct rb_node *top, bool right)
{
	struct rb_node *child = *side(top, right), *inner = *side(child, !right);
	struct rb_node *parent = rb_parent(top);

	*side(top, right) = inner;
	if (inner)
		set_parent(inner, top);
	*side(child, !right) = top;
	replace_child(tree, parent, top, child);
	set_parent(child, parent);
	set_parent(top, child);
	if (tree->update) {
		tree->update(top);
		tree->update(child);
	}
}

/* ---- Inserting ---- */

/* `node` and its `parent` are red; so the parent is not the root. */
static void repair_red(struct rb_tree *tree, struct rb_node *node, struct rb_node *parent)
{
	while (is_red(parent)) {
		struct rb_node *grand = rb_parent(parent);
		bool right = grand->right == parent;
		struct rb_node *uncle = *side(grand, !right);

		if (is_red(uncle)) {
			set_black(parent);
			set_black(uncle);
			set_red(grand);
			node = grand;
			parent = rb_parent(grand);
			continue;
		}
		if (*side(parent, !right) == node) {
			rotate(tree, parent, !right);
			parent = node;
		}
		rotate(tree, grand, right);
		set_black(parent);
		set_red(grand);
		break;
	}
	set_black(tree->root);
}

static __attribute__((noinline)) void inserted(struct rb_tree *tree, struct rb_node *node)
{
	struct rb_node *parent = rb_parent(node);

	summarise(tree, node);
	if (is_red(parent))
		repair_red(tree, node, parent);
}

/* Below whom a node comes that is not the first, and on which side. */
static inline struct rb_node **place_of(struct rb_tree *tree, u64 key, struct rb_node **parent)
{
	struct rb_node *at = tree->root, **link;

	do {
		*parent = at;
		link = rb_before(key, at->key) ? &at->left : &at->right;
		at = *link;
	} while (at);
	return link;
}

void rb_insert(struct rb_tree *tree, struct rb_node *node)
{
	struct rb_node *parent = tree->first, **link;

	node->left = NULL;
	node->right = NULL;
	if (!parent) {
		tree->root = node;
		tree->first = node;
		node->parent = BLACK;
	} else {
		if (rb_before(node->key, parent->key)) {
			link = &parent->left;
			tree->first = node;
		} else {
			link = place_of(tree, node->key, &parent);
		}
		*link = node;
		node->parent = (uptr)parent;
		if (unlikely(!(parent->parent & BLACK))) {
			inserted(tree, node);
			return;
		}
	}
	if (unlikely(tree->update))
		inserted(tree, node);
}

/* ---- Removing ---- */

/*
 * Every way through the child of `parent` on the side `right` is one black node short. A red
 * sibling is first made the parent of the parent, so that the sibling is black.
 */
static bool repair_side(struct rb_tree *tree, struct rb_node *parent, bool right)
{
	struct rb_node *sibling = *side(parent, !right), *far;

	if (is_red(sibling)) {
		rotate(tree, parent, !right);
		set_black(sibling);
		set_red(parent);
		sibling = *side(parent, !right);
	}
	far = *side(sibling, !right);
	if (!is_red(far)) {
		struct rb_node *near = *side(sibling, right);

		if (!is_red(near)) {
			bool mended = is_red(parent);

			set_red(sibling);
			set_black(parent);
			return mended;
		}
		rotate(tree, sibling, right); /* colours: below */
		far = sibling;
		sibling = near;
	}
	rotate(tree, parent, !right);
	sibling->parent = (uptr)rb_parent(sibling) | (parent->parent & BLACK);
	set_black(parent);
	set_black(far);
	return true;
}

/* A black leaf below `parent` is gone: of the two children only that one can be missing. */
static void repair_black(struct rb_tree *tree, struct rb_node *parent)
{
	struct rb_node *node = NULL;
	bool mended;

	do {
		mended = repair_side(tree, parent, parent->right == node);
		node = parent;
		parent = rb_parent(node);
	} while (!mended && parent);
}

/*
 * A node with two children and the next in order change places, colours included. The child that it then
 * has gets its link upwards from the removal that follows.
 */
static void trade_places(struct rb_tree *tree, struct rb_node *node)
{
	struct rb_node *next = rb_next(node), old = *next;

	replace_child(tree, rb_parent(node), node, next);
	next->parent = node->parent;
	next->left = node->left;
	set_parent(next->left, next);
	if (node->right == next) {
		next->right = node;
		node->parent = (uptr)next | (old.parent & BLACK);
	} else {
		next->right = node->right;
		set_parent(next->right, next);
		rb_parent(&old)->left = node;
		node->parent = old.parent;
	}
	node->left = NULL;
	node->right = old.right;
}

static __attribute__((noinline)) void remove_inner(struct rb_tree *tree, struct rb_node *node)
{
	trade_places(tree, node);
	rb_remove(tree, node);
}

/* One that hung below `parent` is gone; with it, a black node of all ways through it, or not. */
static __attribute__((noinline)) void removed(struct rb_tree *tree, struct rb_node *parent,
					      bool short_way)
{
	summarise(tree, parent);
	if (short_way)
		repair_black(tree, parent);
}

void rb_remove(struct rb_tree *tree, struct rb_node *node)
{
	struct rb_node *child = node->left, *parent = rb_parent(node);
	uptr parent_and_colour = node->parent;
	bool short_way;

	if (!child) {
		child = node->right;
		if (tree->first == node) /* whose one child can only be a leaf */
			tree->first = child ? child : parent;
	} else if (unlikely(node->right)) {
		remove_inner(tree, node);
		return;
	}
	replace_child(tree, parent, node, child);
	node->parent = 0;
	short_way = !child && (parent_and_colour & BLACK);
	if (child)
		child->parent = parent_and_colour;
	if (parent && unlikely(short_way || tree->update))
		removed(tree, parent, short_way);
}

/* ---- The rest ---- */

struct rb_node *rb_next(const struct rb_node *node)
{
	struct rb_node *next = node->right, *parent;

	if (next) {
		while (next->left)
			next = next->left;
		return next;
	}
	for (parent = rb_parent(node); parent && parent->right == node; parent = rb_parent(node))
		node = parent;
	return parent;
}

void rb_updated(struct rb_tree *tree, struct rb_node *node)
{
	summarise(tree, node);
}
