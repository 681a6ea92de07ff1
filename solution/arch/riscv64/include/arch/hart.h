/*
 * hart.h - what this architecture does to other harts: start them, interrupt them, have them forget translations.
 * All of it is the firmware's work.
 *
 * Source: SBI 1.0: HSM, IPI and RFENCE extensions.
 */
#ifndef ARCH_HART_H
#define ARCH_HART_H

#include <arch/csr.h>
#include <mazu/error.h>
#include <mazu/types.h>

struct pcpu;

/*
 * `cpu` begins in hart_main(), interrupts off, paging off, on the stack at `stack` (STACK_SIZE bytes, its guard
 * included). ERR_NOTSUP: the firmware cannot; ERR_IO: it refused.
 */
enum error __must_check arch_hart_start(struct pcpu *cpu, void *stack, void *emergency_stack);

/* The hart that the firmware calls `hart_id` has a software interrupt. */
void arch_ipi_send(u64 hart_id);

/* This hart's is served. */
static inline void arch_ipi_clear(void)
{
	csr_clear(sip, SIE_SOFTWARE);
}

/* `harts` (bits by index) forget what they know of [start, start + size) of a space, before it returns. */
void arch_tlb_flush_remote(u64 harts, uptr start, u64 size, u16 asid);

/* This hart stops for good, interrupts off. */
void arch_hart_halt(void) __noreturn;

#endif
