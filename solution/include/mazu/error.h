/*
 * error.h - how a function says that it could not do what it was asked.
 *
 * A function that only succeeds or fails returns `enum error`. One that also yields a value
 * returns a result: the value and the error side by side, never the one folded into the other
 * (no -1, no NULL, no "errno"). A result of one machine word travels in a0 and a1.
 *
 *	struct result_u64 parsed = str_to_u64(word);
 *	if (parsed.err)
 *		return parsed.err;
 *
 * The value of a result that carries an error is zero, and nobody may use it.
 */
#ifndef MAZU_ERROR_H
#define MAZU_ERROR_H

#include <mazu/types.h>

struct str;

enum error {
	OK = 0,	     /* nothing went wrong; the only value that is false */
	ERR_INVAL,   /* an argument that makes no sense */
	ERR_NOENT,   /* no such thing */
	ERR_NOMEM,   /* no memory left */
	ERR_BUSY,    /* in use by somebody else */
	ERR_RANGE,   /* a number or an index outside what is possible */
	ERR_IO,	     /* the device reported a failure */
	ERR_AGAIN,   /* nothing now; ask again later */
	ERR_EXIST,   /* it is there already */
	ERR_NODEV,   /* no such device, or it does not answer */
	ERR_NOSPC,   /* a table or a device is full */
	ERR_TIMEOUT, /* it took longer than allowed */
	ERR_CORRUPT, /* data from outside breaks its own format */
	ERR_NOTSUP,  /* well formed, but not something we do */
	ERR_CYCLE,   /* dependencies that go round in a circle */
	ERR_ACCESS,  /* it is there, but not allowed */
	ERR_FAULT,   /* an address that the caller may not use */
	ERR_INTR,    /* told to stop waiting */
	ERR_COUNT,   /* how many there are; not an error itself */
};

/* The name of an error as a person reads it ("no such thing"); any integer is safe. */
struct str error_name(enum error err);

/* An error as wide as a register: a result is made there, without a gap that only memory could leave. */
typedef enum error error_word __attribute__((mode(DI)));

/* Makes `struct result_<name>` and its two constructors. */
#define RESULT_TYPE(name, type)                                                                    \
	struct result_##name {                                                                     \
		type value;                                                                        \
		error_word err;                                                                    \
	};                                                                                         \
	__maybe_unused static inline struct result_##name result_##name##_ok(type value)           \
	{                                                                                          \
		return (struct result_##name){ .value = value, .err = OK };                        \
	}                                                                                          \
	__maybe_unused static inline struct result_##name result_##name##_err(error_word err)      \
	{                                                                                          \
		return (struct result_##name){ .err = err };                                       \
	}                                                                                          \
	struct result_##name

RESULT_TYPE(sz, size_t);
RESULT_TYPE(u32, u32);
RESULT_TYPE(u64, u64);
RESULT_TYPE(ptr, void *);

static_assert(sizeof(struct result_u64) == 16, "a result of one word fits in a0 and a1");

#endif
