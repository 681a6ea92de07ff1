/*
 * timer.h - the hart's timer interrupt: a compare register of our own where there is one (Sstc), the
 * firmware otherwise, which costs some 400 instructions a call.
 *
 * Source: Sstc extension 1.0; SBI 1.0, timer extension.
 */
#ifndef ARCH_TIMER_H
#define ARCH_TIMER_H

#include <arch/csr.h>
#include <arch/sbi.h>
#include <mazu/pcpu.h>

/* This hart is interrupted at or after `raw_ticks`, and not before. Interrupts off. */
static inline void arch_timer_set(u64 raw_ticks)
{
	if (likely(this_cpu()->arch.has_sstc))
		csr_write(CSR_STIMECMP, raw_ticks);
	else
		sbi_set_timer(raw_ticks);
}

struct str arch_timer_name(void);

#endif
