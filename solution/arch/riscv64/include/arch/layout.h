/*
 * What the assembly and the C code of this architecture must agree on: stack
 * sizes, and where fields lie in the trap frame and in the hart's data. The C
 * side asserts every offset (trap.c), so the two cannot drift apart.
 */
#ifndef ARCH_LAYOUT_H
#define ARCH_LAYOUT_H

/*
 * A kernel stack is a block of pages, the lowest of which is a guard: it is never used, and once
 * paging is on it is not there. What is above it is a multiple of pages, so that a shift
 * and a comparison check the stack pointer.
 */
#define STACK_GUARD 4096
#define STACK_PAGES 3
#define STACK_BYTES (STACK_PAGES * 4096)
#define STACK_SIZE (STACK_GUARD + STACK_BYTES)
#define STACK_ORDER 2

/* struct trap_frame: registers x1..x31 at 8 * number, then the trap's CSRs. */
#define FRAME_PC 0
#define FRAME_REG(n) (8 * (n))
#define FRAME_STATUS 256
#define FRAME_CAUSE 264
#define FRAME_VALUE 272
#define FRAME_SIZE 288

/* struct pcpu, which gp points at: its first word, then struct arch_pcpu. */
#define PCPU_PREEMPT 0
#define PCPU_STACK_BASE 8
#define PCPU_SCRATCH 16
#define PCPU_TRAP_SP 24
#define PCPU_KERNEL_SP 32
#define PCPU_EMERGENCY_BASE 40
#define PCPU_OVERFLOWS 48
#define PCPU_OVERFLOWED_BASE 56
#define PCPU_STARTED_AS 64
#define PCPU_STARTED_BEFORE 72

#endif
