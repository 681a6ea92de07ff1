/*
 * fuzz_rbtree.c - the input is changes of a tree. After each, the tree is what the sorted array
 * (tests/lib/rbtree_model.h) says, with all rules kept.
 *
 * The first byte says whether there is a summary; then come three bytes a change: which node, its key, and
 * its value. Of a node that is there, an odd key changes the value and an even one takes it out.
 */
#include "fuzz.h"

#include "../lib/rbtree_model.h"

static struct rb_pair pair;

static void change(const u8 *call)
{
	u32 index = call[0];

	if (!rb_pair_has(&pair, index))
		rb_pair_insert(&pair, index, (u64)call[1] - 128, call[2]);
	else if (call[1] & 1)
		rb_pair_update(&pair, index, call[2]);
	else
		rb_pair_remove(&pair, index);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	rb_pair_init(&pair, size && data[0] & 1);
	for (size_t i = 1; i + 3 <= size && i < 1200; i += 3) {
		change(data + i);
		MUST(rb_pair_agrees(&pair));
	}
	return 0;
}
