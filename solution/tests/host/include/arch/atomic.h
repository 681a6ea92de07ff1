/*
 * Atomic operations of the host, which are the compiler's.
 */
#ifndef ARCH_ATOMIC_H
#define ARCH_ATOMIC_H

#include <mazu/types.h>

static inline u64 arch_add_release_u64(u64 *word, u64 value)
{
	return __atomic_fetch_add(word, value, __ATOMIC_RELEASE);
}

static inline u32 arch_add_release_u32(u32 *word, u32 value)
{
	return __atomic_fetch_add(word, value, __ATOMIC_RELEASE);
}

#endif
