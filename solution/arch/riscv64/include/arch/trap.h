/*
 * trap.h - exceptions and interrupts, as the hart delivers them.
 */
#ifndef ARCH_TRAP_H
#define ARCH_TRAP_H

#include <arch/csr.h>
#include <mazu/str.h>
#include <mazu/types.h>

/*
 * The state of the interrupted code; trap_entry.S fills it and puts it back. A handler may
 * change it: what it writes to pc is where the code goes on.
 */
struct trap_frame {
	u64 pc;
	u64 ra, sp, gp, tp;
	u64 t0, t1, t2;
	u64 fp, s1;
	u64 a0, a1, a2, a3, a4, a5, a6, a7;
	u64 s2, s3, s4, s5, s6, s7, s8, s9, s10, s11;
	u64 t3, t4, t5, t6;
	u64 status; /* sstatus: SPP tells the interrupted mode */
	u64 cause;  /* scause: interrupt bit and code */
	u64 value;  /* stval: the address or instruction concerned */
	u64 unused; /* keeps the frame a multiple of 16 */
};

/* Exception codes (Privileged Architecture 20211203, table 4.2). */
enum trap_exception {
	TRAP_FETCH_MISALIGNED = 0,
	TRAP_FETCH_ACCESS = 1,
	TRAP_ILLEGAL = 2,
	TRAP_BREAKPOINT = 3,
	TRAP_LOAD_MISALIGNED = 4,
	TRAP_LOAD_ACCESS = 5,
	TRAP_STORE_MISALIGNED = 6,
	TRAP_STORE_ACCESS = 7,
	TRAP_USER_CALL = 8,
	TRAP_SUPERVISOR_CALL = 9,
	TRAP_FETCH_PAGE = 12,
	TRAP_LOAD_PAGE = 13,
	TRAP_STORE_PAGE = 15,
};

enum trap_interrupt { TRAP_SOFTWARE = 1, TRAP_TIMER = 5, TRAP_EXTERNAL = 9 };

/* Codes at or above this have no handler. */
#define TRAP_CODES 16

/* True: handled, go on at frame->pc. False: it is a fault after all. */
typedef bool trap_handler(struct trap_frame *frame);

/* Who handles which code; NULL: nobody. Filled at build time (trap.c). */
extern trap_handler *const trap_interrupt_handlers[TRAP_CODES];
extern trap_handler *const trap_exception_handlers[TRAP_CODES];

/* Called by trap_entry.S for every trap, interrupts off. */
void trap_dispatch(struct trap_frame *frame);

/* Called by trap_entry.S at the end of a trap where a switch is due (preempt.h). */
void trap_preempt(struct trap_frame *frame);

/* A trap that nobody handles: reports it and ends the kernel. */
void trap_fault(struct trap_frame *frame) __noreturn;

/* Called by trap_entry.S on the emergency stack. */
void trap_stack_overflow(struct trap_frame *frame) __noreturn;

/* The vector and the interrupt sources of this hart; the boot hart's stack is the one in use. */
void trap_init_hart(void);
void trap_init(void);

/*
 * Calls `handler` for breakpoint traps from now on, instead of reporting a fault; NULL ends
 * that. Returns the previous one. For self-tests and probes of one hart.
 */
trap_handler *trap_set_breakpoint(trap_handler *handler);

/* Whether all of [start, start + size) can be read; touches a byte in each 4 KiB. */
bool arch_readable(uptr start, size_t size);

/* Whether a load from a device's register there, of a byte or of an aligned word, succeeds. */
bool arch_answers_byte(uptr address);
bool arch_answers_word(uptr address);

/* Whether an aligned word there keeps what is written to it, as memory does; it is put back. */
bool arch_keeps_word(uptr address);

/*
 * Runs a program: user mode at pc, with stack pointer sp and an argument in its first register.
 * Returns the value of the arch_user_return() that a handler of one of its traps calls. Interrupts
 * off, before and after; the program runs with interrupts on. Not nested.
 */
u64 arch_user_call(uptr pc, uptr sp, u64 argument);
void arch_user_return(u64 value) __noreturn;

/*
 * Calls `handler` for exceptions from user mode that nobody else handled; NULL: they are
 * faults. Returns the previous one.
 */
trap_handler *trap_set_user_handler(trap_handler *handler);

/* Whether the interrupted code was copying from or to a program's memory. */
static inline bool trap_in_uaccess(const struct trap_frame *frame)
{
	return frame->status & SSTATUS_SUM;
}

static inline bool trap_from_user(const struct trap_frame *frame)
{
	return (frame->status & SSTATUS_SPP) == 0;
}

struct str trap_cause_name(const struct trap_frame *frame);

#endif
