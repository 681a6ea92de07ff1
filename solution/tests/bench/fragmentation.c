/*
 * fragmentation.c - how much of the free memory can still be had in large blocks, after how much use.
 *
 *	tools/fragmentation >docs/images/fragmentation.svg
 *
 * A program for the host, around the kernel's own buddy allocator: 128 MiB, a million calls, then
 * everything is freed. Blocks of each order up to the largest take equal shares of the memory, and most
 * live briefly while a few stay very long, which is what pins large blocks down. At the steady
 * state some three quarters of the memory are held.
 *
 * Prints one line a sample: calls, free frames, largest free order, and what part of the free memory, in
 * parts of 1000, lies in blocks of at least order 4, 7 and 10. Deterministic. Ends with status 1 if the
 * memory is not, in the end, in the same blocks as at the beginning.
 */
#include "../host/random.h"

#include <mazu/buddy.h>

#include <stdio.h>
#include <string.h>

#define FRAMES 32768
#define CALLS 1000000
#define SAMPLE_EVERY 5000
#define LIFE_MAX 240000
#define NOBODY UINT32_MAX

static struct buddy buddy;
static struct frame frames[FRAMES];
static u8 order_of[FRAMES];		/* of the held block that begins there */
static u32 next[FRAMES];		/* the next block that dies at the same time */
static u32 dying[CALLS + LIFE_MAX + 1]; /* at each time: the first block that dies then */
static u64 refused, calls;

static void blocks_now(u64 blocks[BUDDY_ORDERS], u64 *free, u32 *largest)
{
	buddy_blocks(&buddy, blocks);
	*free = *largest = 0;
	for (u32 order = 0; order < BUDDY_ORDERS; order++) {
		*free += blocks[order] << order;
		*largest = blocks[order] ? order : *largest;
	}
}

static void sample(void)
{
	u64 blocks[BUDDY_ORDERS], free, usable = 0, part[BUDDY_ORDERS];
	u32 largest;

	blocks_now(blocks, &free, &largest);
	for (u32 order = BUDDY_ORDERS; order-- > 0;) {
		usable += blocks[order] << order;
		part[order] = free ? usable * 1000 / free : 0;
	}
	printf("%lu %lu %u %lu %lu %lu\n", calls, free, largest, part[4], part[7], part[10]);
}

static void called(void)
{
	if (++calls % SAMPLE_EVERY == 0)
		sample();
}

/* Each order half as often as the one below it. */
static u32 random_order(u64 *seed)
{
	u32 order = 0;

	while (order < BUDDY_ORDER_MAX && random_below(seed, 2))
		order++;
	return order;
}

/* Of 100 blocks 80 live for up to 600 calls, 18 for up to 20000, and 2 for up to LIFE_MAX. */
static u64 random_life(u64 *seed)
{
	u32 kind = random_below(seed, 100);

	return 1 + random_below(seed, kind < 80 ? 600 : kind < 98 ? 20000 : LIFE_MAX);
}

static void take(u64 now, u64 *seed)
{
	u32 order = random_order(seed);
	u64 death = now + random_life(seed);
	struct result_frame block = buddy_alloc(&buddy, order);

	called();
	if (block.err) {
		refused++;
		return;
	}

	u32 first = (u32)(block.value - frames);

	order_of[first] = (u8)order;
	next[first] = dying[death];
	dying[death] = first;
}

static void give_back_dying(u64 now)
{
	for (u32 first = dying[now]; first != NOBODY; first = next[first]) {
		buddy_free(&buddy, &frames[first], order_of[first]);
		called();
	}
}

int main(void)
{
	u64 before[BUDDY_ORDERS], after[BUDDY_ORDERS], free, seed = 61, now;
	u32 largest;

	memset(dying, 0xff, sizeof(dying));
	buddy_init(&buddy, frames, FRAMES);
	if (buddy_give(&buddy, 0, FRAMES))
		return 2;
	blocks_now(before, &free, &largest);
	sample();
	for (now = 0; calls < CALLS; now++) {
		give_back_dying(now);
		take(now, &seed);
	}
	for (; now <= CALLS + LIFE_MAX; now++)
		give_back_dying(now);
	sample();
	blocks_now(after, &free, &largest);
	fprintf(stderr, "%lu calls, %lu refused, largest free order %u in the end\n", calls,
		refused, largest);
	return memcmp(before, after, sizeof(before)) != 0;
}
