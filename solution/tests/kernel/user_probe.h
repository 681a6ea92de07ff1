/*
 * user_probe.h - a program of a few instructions, for tests that need user mode.
 *
 * The program is a page of code with several entries (user_program.S). probe_open() makes an address
 * space that holds it and a stack, and makes it the current one; probe_run() enters the
 * program at an entry and returns with what its first trap was: an ecall is a normal end.
 */
#ifndef MAZU_TESTS_USER_PROBE_H
#define MAZU_TESTS_USER_PROBE_H

#include <mazu/addrspace.h>

#define PROBE_STACK_SIZE (4 * 4096UL)

struct probe {
	struct addrspace *space;
	uptr code;
	uptr stack; /* upper end */
};

/* How a run ended. */
struct probe_end {
	u64 cause;    /* enum trap_exception */
	uptr address; /* of a fault */
	u64 value;    /* of an ecall: what the program returned */
};

enum probe_entry {
	PROBE_RETURN,	  /* its argument */
	PROBE_LOAD,	  /* the byte at its argument */
	PROBE_STORE,	  /* stores a byte at its argument */
	PROBE_JUMP,	  /* goes there */
	PROBE_CSR,	  /* reads sstatus */
	PROBE_BREAK,	  /* ebreak */
	PROBE_RECURSE,	  /* grows its stack without end, half a page at a time */
	PROBE_REGISTERS,  /* all registers but sp and its argument, or'ed */
	PROBE_FETCH_WORD, /* jumps to the last two bytes of its page: an instruction across pages */
	PROBE_COUNT, /* counts its argument down to 0 and returns it, if no register has changed */
};

enum error probe_open(struct probe *probe, u64 page_limit);
void probe_close(struct probe *probe);

struct probe_end probe_run(const struct probe *probe, enum probe_entry entry, u64 argument);

/* Whether it ended by itself, with this value; whether by this fault at this address. */
bool probe_returned(struct probe_end end, u64 value);
bool probe_faulted(struct probe_end end, u64 cause, uptr address);

#endif
