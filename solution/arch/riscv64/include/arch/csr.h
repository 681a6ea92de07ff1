/*
 * Control and status registers: names, bits, access.
 *
 * Source: The RISC-V Instruction Set Manual, Volume II: Privileged
 * Architecture 20211203, chapter 4 (supervisor); Sstc extension 1.0 (stimecmp).
 */
#ifndef ARCH_CSR_H
#define ARCH_CSR_H

#define SSTATUS_SIE (1 << 1)
#define SSTATUS_SPIE (1 << 5)
#define SSTATUS_SPP (1 << 8)
#define SSTATUS_SUM (1 << 18) /* supervisor may touch user pages */

#define SIE_SOFTWARE (1 << 1)
#define SIE_TIMER (1 << 5)
#define SIE_EXTERNAL (1 << 9)

#define SCAUSE_INTERRUPT (1UL << 63)

/* By number: GCC 12's assembler does not know it by name. */
#define CSR_STIMECMP 0x14D

#ifndef __ASSEMBLER__

#include <mazu/types.h>

#define csr_read(csr)                                                                              \
	({                                                                                         \
		u64 value_;                                                                        \
		__asm__ volatile("csrr %0, " ARCH_CSR_NAME(csr) : "=r"(value_)::"memory");         \
		value_;                                                                            \
	})
#define csr_write(csr, value)                                                                      \
	__asm__ volatile("csrw " ARCH_CSR_NAME(csr) ", %0" ::"rK"((u64)(value)) : "memory")
#define csr_set(csr, bits)                                                                         \
	__asm__ volatile("csrs " ARCH_CSR_NAME(csr) ", %0" ::"rK"((u64)(bits)) : "memory")
#define csr_clear(csr, bits)                                                                       \
	__asm__ volatile("csrc " ARCH_CSR_NAME(csr) ", %0" ::"rK"((u64)(bits)) : "memory")
#define csr_read_clear(csr, bits)                                                                  \
	({                                                                                         \
		u64 old_;                                                                          \
		__asm__ volatile("csrrc %0, " ARCH_CSR_NAME(csr) ", %1"                            \
				 : "=r"(old_)                                                      \
				 : "rK"((u64)(bits))                                               \
				 : "memory");                                                      \
		old_;                                                                              \
	})
#define ARCH_CSR_NAME(csr) ARCH_CSR_STRING(csr)
#define ARCH_CSR_STRING(csr) #csr

#endif
#endif
