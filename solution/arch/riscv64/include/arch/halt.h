/*
 * The last resort: say one constant line through the firmware and stop.
 *
 * ARCH_HALT_WITH(text) is assembly that needs no stack, no memory that can be
 * written, no console and no C: only registers and the SBI. It serves the
 * places where nothing else can be trusted: a hole that is not written yet, a
 * trap before the trap vector is up, an overflow of the emergency stack.
 *
 * The text is a sequence of string literals, as C would join them; the
 * assembler joins them too. Every register but s1, a0, a1, a6 and a7 keeps its
 * value for whoever looks at the stopped machine.
 *
 * Source: SBI specification 1.0: legacy putchar (EID 1), SRST (EID "SRST").
 */
#ifndef ARCH_HALT_H
#define ARCH_HALT_H

/* clang-format off */
#define ARCH_HALT_WITH(...)                     \
	.pushsection .rodata.halt, "a";         \
	7001: .ascii __VA_ARGS__; .byte 0;      \
	.popsection;                            \
	la s1, 7001b;                           \
	7002: lbu a0, 0(s1);                    \
	beqz a0, 7003f;                         \
	li a7, 1;                               \
	ecall;                                  \
	addi s1, s1, 1;                         \
	j 7002b;                                \
	7003: li a7, 0x53525354;                \
	li a6, 0;                               \
	li a0, 0;                               \
	li a1, 1;                               \
	ecall;                                  \
	7004: wfi;                              \
	j 7004b
/* clang-format on */

#define ARCH_STRING(...) ARCH_STRING_(__VA_ARGS__)
#define ARCH_STRING_(...) #__VA_ARGS__

#endif
