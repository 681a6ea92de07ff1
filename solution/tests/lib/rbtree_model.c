/*
 * The sorted array beside a tree: see rbtree_model.h.
 */
#include "rbtree_model.h"

#include <mazu/mem.h>

/* Deeper than any red-black tree of MODEL_NODES; a circle of links ends there, too. */
#define DEPTH_MAX 18

static struct rb_item *item_of(struct rb_node *node)
{
	return container_of(node, struct rb_item, node);
}

static u64 least_of(struct rb_node *node)
{
	return node ? item_of(node)->least : UINT64_MAX;
}

static bool least_update(struct rb_node *node)
{
	u64 below = MIN(least_of(node->left), least_of(node->right)), before = item_of(node)->least;

	item_of(node)->least = MIN(item_of(node)->value, below);
	return item_of(node)->least != before;
}

void rb_pair_init(struct rb_pair *pair, bool summary)
{
	memset(pair, 0, sizeof(*pair));
	pair->tree.update = summary ? least_update : NULL;
}

bool rb_pair_has(const struct rb_pair *pair, u32 index)
{
	return rb_is_queued(&pair->items[index].node);
}

/* ---- Changes ---- */

void rb_pair_insert(struct rb_pair *pair, u32 index, u64 key, u64 value)
{
	struct rb_item *item = &pair->items[index];
	u32 at = pair->count++;

	item->node.key = key;
	item->value = value;
	rb_insert(&pair->tree, &item->node);
	for (; at && rb_before(key, pair->items[pair->order[at - 1]].node.key); at--)
		pair->order[at] = pair->order[at - 1];
	pair->order[at] = index;
}

void rb_pair_remove(struct rb_pair *pair, u32 index)
{
	struct rb_node *node = &pair->items[index].node;
	u32 at = 0;

	if (node == rb_first(&pair->tree) && !pair->tree.update)
		rb_remove_first(&pair->tree);
	else
		rb_remove(&pair->tree, node);
	while (pair->order[at] != index)
		at++;
	pair->count--;
	for (; at < pair->count; at++)
		pair->order[at] = pair->order[at + 1];
}

void rb_pair_update(struct rb_pair *pair, u32 index, u64 value)
{
	pair->items[index].value = value;
	rb_updated(&pair->tree, &pair->items[index].node);
}

/* Around the place where keys wrap, and with many of the same. */
void rb_pair_step(struct rb_pair *pair, u64 random)
{
	u32 index = (u32)(random % MODEL_NODES);
	u64 key = (random >> 16) % 300 - 150, value = random >> 32;

	if (!rb_pair_has(pair, index))
		rb_pair_insert(pair, index, key, value);
	else if (random >> 12 & 3)
		rb_pair_remove(pair, index);
	else
		rb_pair_update(pair, index, value);
}

/* ---- Comparing ---- */

static bool is_black(const struct rb_node *node)
{
	return !node || node->parent & 1;
}

/* Black nodes on each way down from here, or -1 where a rule is broken. */
static i32 black_height(struct rb_node *node, const struct rb_node *parent, u32 depth)
{
	i32 left, right;

	if (!node)
		return 0;
	if (depth == DEPTH_MAX || rb_parent(node) != parent ||
	    (!is_black(node) && !is_black(parent)))
		return -1;
	left = black_height(node->left, node, depth + 1);
	right = black_height(node->right, node, depth + 1);
	return left != right || left < 0 ? -1 : left + is_black(node);
}

static bool summary_agrees(struct rb_node *node)
{
	u64 found = item_of(node)->least;

	least_update(node);
	return item_of(node)->least == found;
}

static bool order_agrees(const struct rb_pair *pair)
{
	struct rb_node *node = rb_first(&pair->tree);

	for (u32 i = 0; i < pair->count; i++, node = rb_next(node))
		if (!node || item_of(node) != &pair->items[pair->order[i]])
			return false;
		else if (pair->tree.update && !summary_agrees(node))
			return false;
	return !node;
}

static bool others_are_out(const struct rb_pair *pair)
{
	u32 queued = 0;

	for (u32 i = 0; i < MODEL_NODES; i++)
		queued += rb_pair_has(pair, i);
	return queued == pair->count;
}

bool rb_pair_agrees(const struct rb_pair *pair)
{
	return is_black(pair->tree.root) && black_height(pair->tree.root, NULL, 0) >= 0 &&
	       order_agrees(pair) && others_are_out(pair);
}
