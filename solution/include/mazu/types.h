/*
 * types.h - the words that every other file is written in.
 *
 * Nothing here has state and nothing here calls anything. Everything works the same in the
 * kernel (no libc) and in a host test (with one), so only the headers that a freestanding
 * compiler must provide are included (C11 section 4, paragraph 6).
 */
#ifndef MAZU_TYPES_H
#define MAZU_TYPES_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t i8;
typedef int16_t i16;
typedef int32_t i32;
typedef int64_t i64;
typedef uintptr_t uptr;

#ifndef static_assert
#define static_assert _Static_assert
#endif

/* What the compiler is told about functions and data. */
#define __must_check __attribute__((warn_unused_result))
#define __printf(text, first) __attribute__((format(printf, text, first)))
#undef __noreturn
#define __noreturn __attribute__((noreturn))
#define __maybe_unused __attribute__((unused))
#define __section(name) __attribute__((section(name)))
/* A hart's own: shares no cache line with another hart's. */
#define __per_hart __attribute__((aligned(64)))

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

/* Elements of an array; a pointer in its place does not compile. */
#define ARRAY_SIZE(array)                                                                          \
	(sizeof(array) / sizeof((array)[0]) +                                                      \
	 0 * sizeof(char[1 - 2 * __builtin_types_compatible_p(__typeof__(array),                   \
							      __typeof__(&(array)[0]))]))

/* Each argument is evaluated once. */
#define MIN(a, b)                                                                                  \
	({                                                                                         \
		__typeof__(a) min_a_ = (a);                                                        \
		__typeof__(b) min_b_ = (b);                                                        \
		min_a_ < min_b_ ? min_a_ : min_b_;                                                 \
	})
#define MAX(a, b)                                                                                  \
	({                                                                                         \
		__typeof__(a) max_a_ = (a);                                                        \
		__typeof__(b) max_b_ = (b);                                                        \
		max_a_ > max_b_ ? max_a_ : max_b_;                                                 \
	})

/* The next multiple of a power of two at or above value. Wraps to 0 at the end of the type. */
#define ALIGN_UP(value, alignment)                                                                 \
	(((value) + ((__typeof__(value))(alignment)-1)) & ~((__typeof__(value))(alignment)-1))

/* The structure that holds `member`, from a pointer to that member. */
#define container_of(pointer, type, member)                                                        \
	({                                                                                         \
		const __typeof__(((type *)0)->member) *member_ = (pointer);                        \
		(type *)((uptr)member_ - offsetof(type, member));                                  \
	})

/*
 * One access, neither repeated, torn nor invented by the compiler. No order against other
 * accesses: that takes a fence or an acquire/release.
 */
#define READ_ONCE(x) (*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, value) (*(volatile __typeof__(x) *)&(x) = (value))

/* The compiler moves no memory access across it. The hart may. */
#define barrier() __asm__ volatile("" ::: "memory")

static inline bool is_power_of_two(u64 value)
{
	return value != 0 && (value & (value - 1)) == 0;
}

#endif
