/*
 * atomic.h - what several harts do to one word.
 *
 * Each operation says how it is ordered with what stands around it in the program:
 *
 *	relaxed		not at all: a counter, a hint
 *	acquire		what stands behind it happens behind it: the beginning of a section
 *	release		what stands before it happens before it: the end of a section
 *
 * A release and the acquire that reads what it wrote are a pair: whatever was written before the one is seen
 * behind the other. An order that has no partner orders nothing; so each use in this kernel names its own.
 *
 * Source: RISC-V Unprivileged ISA 20191213, chapter 8 ("A") and 14 (RVWMO); how they become instructions: its
 * table A.6.
 */
#ifndef MAZU_ATOMIC_H
#define MAZU_ATOMIC_H

#include <arch/atomic.h>
#include <mazu/types.h>

#define atomic_load_relaxed(word) __atomic_load_n(word, __ATOMIC_RELAXED)
#define atomic_load_acquire(word) __atomic_load_n(word, __ATOMIC_ACQUIRE)
#define atomic_store_relaxed(word, value) __atomic_store_n(word, value, __ATOMIC_RELAXED)
#define atomic_store_release(word, value) __atomic_store_n(word, value, __ATOMIC_RELEASE)

/* These return what was there before. */
#define atomic_exchange_relaxed(word, value) __atomic_exchange_n(word, value, __ATOMIC_RELAXED)
#define atomic_exchange_acquire(word, value) __atomic_exchange_n(word, value, __ATOMIC_ACQUIRE)
#define atomic_exchange_acq_rel(word, value) __atomic_exchange_n(word, value, __ATOMIC_ACQ_REL)
#define atomic_add_relaxed(word, value) __atomic_fetch_add(word, value, __ATOMIC_RELAXED)
#define atomic_add_release(word, value)                                                            \
	_Generic(*(word), u32 : arch_add_release_u32, u64 : arch_add_release_u64)(word, value)
#define atomic_or_relaxed(word, bits) __atomic_fetch_or(word, bits, __ATOMIC_RELAXED)
#define atomic_or_release(word, bits) __atomic_fetch_or(word, bits, __ATOMIC_RELEASE)

/* Whether it was `from` and is `to` now. */
#define atomic_compare_exchange_acquire(word, from, to)                                            \
	({                                                                                         \
		__typeof__(*(word)) expected_ = (from);                                            \
		__atomic_compare_exchange_n(word, &expected_, to, false, __ATOMIC_ACQUIRE,         \
					    __ATOMIC_RELAXED);                                     \
	})

/* For data that is ordered by hand (seqlock.h): reads before it before all behind it; all before it before writes behind it. */
#define atomic_fence_acquire() __atomic_thread_fence(__ATOMIC_ACQUIRE)
#define atomic_fence_release() __atomic_thread_fence(__ATOMIC_RELEASE)
/* Everything before it before everything behind it: also a write before a read of something else. */
#define atomic_fence_full() __atomic_thread_fence(__ATOMIC_SEQ_CST)

#endif
