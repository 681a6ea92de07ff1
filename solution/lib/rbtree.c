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
 * Most trees of a kernel are tiny. Taking a node out of up to three repairs nothing ever, and putting one in
 * needs a repair only where it hangs below a red one; with the first at hand, taking that out looks at its
 * right child and its parent only: the way of a timer that expires. That is why insert and remove are
 * straight lines, and end with a call of the rest, if at all.
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

/*
 * Left and right are mirror images: what holds for one is written once, for `right` or not, and compiled
 * for both.
 */
#define MIRRORED static inline __attribute__((always_inline))

MIRRORED struct rb_node **side(struct rb_node *node, bool right)
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

/*
 * From `node` up, until nothing changes any more. `stale` is `node`, above it, or NULL: its summary means nothing
 * yet, so what is below it proves nothing.
 */
static inline void summarise(struct rb_tree *tree, struct rb_node *node,
			     const struct rb_node *stale)
{
	if (!tree->update)
		return;
	for (; node; node = rb_parent(node)) {
		if (!tree->update(node) && !stale)
			return;
		if (node == stale)
			stale = NULL;
	}
}

/* ---- Inserting ---- */

/*
 * `node` and `parent` are red, `parent` is on that side of `grand`, and `grand` has no other red child. The one
 * in the middle of the three by order rises to the place of `grand`, black, and has the others as red
 * children. What hung below them is black.
 */
MIRRORED void lift_middle(struct rb_tree *tree, struct rb_node *node, struct rb_node *parent,
			  struct rb_node *grand, bool right)
{
	struct rb_node *top = parent, *above = rb_parent(grand), *inner;

	if (*side(parent, !right) == node) {
		top = node;
		inner = *side(node, right);
		*side(parent, !right) = inner;
		if (inner)
			inner->parent = (uptr)parent | BLACK;
		*side(node, right) = parent;
		parent->parent = (uptr)node;
	}
	inner = *side(top, !right);
	*side(grand, right) = inner;
	if (inner)
		inner->parent = (uptr)grand | BLACK;
	*side(top, !right) = grand;
	grand->parent = (uptr)top;
	replace_child(tree, above, grand, top);
	top->parent = (uptr)above | BLACK;
	if (tree->update) {
		tree->update(*side(top, !right));
		tree->update(*side(top, right));
		tree->update(top);
	}
}

/* `node` and its `parent` are red; so the parent is not the root. */
static __attribute__((noinline)) void repair_red(struct rb_tree *tree, struct rb_node *node,
						 struct rb_node *parent)
{
	do {
		struct rb_node *grand = rb_parent(parent);
		bool right = grand->right == parent;
		struct rb_node *uncle = right ? grand->left : grand->right;

		if (!is_red(uncle)) {
			if (right)
				lift_middle(tree, node, parent, grand, true);
			else
				lift_middle(tree, node, parent, grand, false);
			return;
		}
		set_black(parent);
		set_black(uncle);
		node = grand;
		parent = rb_parent(grand);
		if (parent)
			set_red(grand);
	} while (parent && is_red(parent));
}

static __attribute__((noinline)) void inserted(struct rb_tree *tree, struct rb_node *node)
{
	struct rb_node *parent = rb_parent(node);

	summarise(tree, node, node);
	if (parent && is_red(parent))
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
	}
	if (unlikely(tree->update))
		inserted(tree, node);
	else if (parent && !(parent->parent & BLACK))
		repair_red(tree, node, parent);
}

/* ---- Removing ---- */

/* The child on that side rises above `top`, which sinks to the other side. */
MIRRORED void rotate(struct rb_tree *tree, struct rb_node *top, bool right)
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

/*
 * Every way through the child of `parent` on the side `right` is one black node short. A red
 * sibling is first made the parent of the parent, so that the sibling is black.
 */
MIRRORED bool repair_side(struct rb_tree *tree, struct rb_node *parent, bool right)
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
		mended = parent->right == node ? repair_side(tree, parent, true)
					       : repair_side(tree, parent, false);
		node = parent;
		parent = rb_parent(node);
	} while (!mended && parent);
}

static struct rb_node *leftmost(struct rb_node *node)
{
	while (node->left)
		node = node->left;
	return node;
}

/*
 * A node with two children and the next in order change places, colours included. The child that it then
 * has gets its link upwards from the removal that follows.
 */
static struct rb_node *trade_places(struct rb_tree *tree, struct rb_node *node)
{
	struct rb_node *next = leftmost(node->right), old = *next;

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
	return next;
}

/* One that hung below `parent` is gone; with it, a black node of all ways through it, or not. */
static __attribute__((noinline)) void removed(struct rb_tree *tree, struct rb_node *parent,
					      bool short_way, const struct rb_node *stale)
{
	summarise(tree, parent, stale);
	if (short_way)
		repair_black(tree, parent);
}

/* A node with one child at most. */
static inline void unlink(struct rb_tree *tree, struct rb_node *node, const struct rb_node *stale)
{
	struct rb_node *child = node->left ? node->left : node->right, *parent = rb_parent(node);
	uptr parent_and_colour = node->parent;
	bool short_way;

	if (tree->first == node) /* whose one child can only be a leaf */
		tree->first = child ? child : parent;
	replace_child(tree, parent, node, child);
	node->parent = 0;
	short_way = !child && (parent_and_colour & BLACK);
	if (child)
		child->parent = parent_and_colour;
	if (parent && unlikely(short_way || tree->update))
		removed(tree, parent, short_way, stale);
}

/* The first of a tree has no left child. */
static __attribute__((noinline)) void remove_inner(struct rb_tree *tree, struct rb_node *node)
{
	struct rb_node *next = trade_places(tree, node);

	unlink(tree, node, next);
}

void rb_remove(struct rb_tree *tree, struct rb_node *node)
{
	if (unlikely(node->left && node->right))
		remove_inner(tree, node);
	else
		unlink(tree, node, NULL);
}

/* ---- The rest ---- */

struct rb_node *rb_next(const struct rb_node *node)
{
	struct rb_node *parent;

	if (node->right)
		return leftmost(node->right);
	for (parent = rb_parent(node); parent && parent->right == node; parent = rb_parent(node))
		node = parent;
	return parent;
}

void rb_updated(struct rb_tree *tree, struct rb_node *node)
{
	summarise(tree, node, NULL);
}
