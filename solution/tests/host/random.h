/*
 * random.h - repeatable random numbers for the host's tests.
 *
 * SplitMix64 (Steele, Lea, Flood: "Fast Splittable Pseudorandom Number Generators", 2014). Each
 * test starts from a seed of its own in the source, so a failure repeats by running it again.
 */
#ifndef MAZU_TESTS_RANDOM_H
#define MAZU_TESTS_RANDOM_H

#include <mazu/types.h>

static inline u64 random_u64(u64 *state)
{
	u64 z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

/* A number in [0, bound). */
static inline u32 random_below(u64 *state, u32 bound)
{
	return (u32)(random_u64(state) % bound);
}

#endif
