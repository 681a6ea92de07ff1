/*
 * The mark of an unwritten hole.
 *
 * LAB_TODO(lab, task) stands where a student's code belongs. It must work
 * anywhere, even before there is a stack or a console, in C and in assembly
 * alike: it keeps everything in registers, tells the firmware to print one
 * constant line character by character, and stops the machine. It never
 * returns.
 *
 * The same text serves both languages: LAB_TODO_CODE is assembly, which C
 * turns into a string for an asm statement.
 *
 * Source: SBI specification 1.0, chapters 4 (legacy console putchar) and 9 (SRST).
 */
#ifndef MAZU_LAB_H
#define MAZU_LAB_H

#include <arch/halt.h>

#define LAB_FOLDER_1 "labs/01-boot"
#define LAB_FOLDER_2 "labs/02-paging"
#define LAB_FOLDER_3 "labs/03-sched"
#define LAB_FOLDER_4 "labs/04-smp"

#define LAB_TODO_CODE(lab, task)                                                                   \
	ARCH_HALT_WITH("\nlab " #lab " task " #task " is yours: " LAB_FOLDER_##lab "/README.md\n")

#ifdef __ASSEMBLER__
#define LAB_TODO(lab, task) LAB_TODO_CODE(lab, task)
#else
#define LAB_TODO(lab, task)                                                                        \
	do {                                                                                       \
		__asm__ volatile(ARCH_STRING(LAB_TODO_CODE(lab, task)));                           \
		__builtin_unreachable();                                                           \
	} while (0)
#endif

#endif
