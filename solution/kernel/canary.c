/*
 * The stack protector's canary: a word that an overrun of a local array must destroy before it
 * reaches the return address, and cannot guess.
 *
 * The compiler puts __stack_chk_guard below the saved registers of each function with an
 * array and compares before returning. It is set once, before any such function runs; its low
 * byte is zero, so that a string that runs over cannot write it. Randomness is the
 * firmware's seed where the device tree has one; otherwise two counters that tick at unrelated
 * rates, mixed. (Stage 6 has better, and a canary for each task.)
 */
#include <arch/cpu.h>
#include <mazu/board.h>
#include <mazu/canary.h>
#include <mazu/panic.h>

extern uptr __stack_chk_guard;
extern void __stack_chk_fail(void) __noreturn;

uptr __stack_chk_guard = 0x00a5c3e10f96d200;

/* One round of a mixing function: each bit of x reaches most bits of the result (D. Stafford). */
static u64 mix(u64 x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	return x ^ x >> 31;
}

static u64 seed_from_tree(void)
{
	u64 seed = 0;

	for (size_t i = 0; i < MIN(board.rng_seed.len, (size_t)64); i++)
		seed = mix(seed + board.rng_seed.data[i]);
	return seed;
}

static u64 seed_from_jitter(void)
{
	u64 seed = 0;

	for (u32 i = 0; i < 16; i++)
		seed = mix(seed ^ arch_cycles() ^ arch_ticks() << 32);
	return seed;
}

__attribute__((no_stack_protector)) void canary_init(void)
{
	u64 seed = board.rng_seed.len >= sizeof(u64) ? seed_from_tree() : seed_from_jitter();

	__stack_chk_guard = seed & ~0xffUL;
}

void __stack_chk_fail(void)
{
	panic_from((uptr)__builtin_return_address(0), "stack smashed: an array ran over its end");
}
