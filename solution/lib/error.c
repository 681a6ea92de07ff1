/*
 * error.c - what each error is called in a message.
 *
 * The table is indexed by the error itself, so a new error without a name shows up as the
 * fallback, and the self-test of this file fails.
 */
#include <mazu/error.h>
#include <mazu/str.h>

struct str error_name(enum error err)
{
	static const struct str names[ERR_COUNT] = {
		[OK] = STR("ok"),
		[ERR_INVAL] = STR("invalid argument"),
		[ERR_NOENT] = STR("no such thing"),
		[ERR_NOMEM] = STR("out of memory"),
		[ERR_BUSY] = STR("busy"),
		[ERR_RANGE] = STR("out of range"),
		[ERR_IO] = STR("input/output error"),
		[ERR_AGAIN] = STR("try again"),
		[ERR_EXIST] = STR("exists already"),
		[ERR_NODEV] = STR("no such device"),
		[ERR_NOSPC] = STR("no space left"),
		[ERR_TIMEOUT] = STR("timed out"),
		[ERR_CORRUPT] = STR("corrupt data"),
		[ERR_NOTSUP] = STR("not supported"),
		[ERR_CYCLE] = STR("circular dependency"),
		[ERR_ACCESS] = STR("not allowed"),
		[ERR_FAULT] = STR("bad address"),
		[ERR_INTR] = STR("interrupted"),
	};

	if ((unsigned int)err >= ERR_COUNT || names[err].len == 0)
		return STR("unknown error");
	return names[err];
}
