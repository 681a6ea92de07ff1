/*
 * mem.h - the four memory functions that a C compiler takes for granted.
 *
 * GCC may call them for a structure assignment or an initialiser, even in freestanding code
 * (GCC manual, "Standards"), so they exist under their C11 names with their C11 meanings
 * (section 7.24). In the kernel lib/mem.c defines them; on the host the libc does.
 */
#ifndef MAZU_MEM_H
#define MAZU_MEM_H

#include <mazu/types.h>

void *memcpy(void *restrict to, const void *restrict from, size_t len); /* no overlap */
void *memmove(void *to, const void *from, size_t len);			/* any overlap */
void *memset(void *to, int byte, size_t len);
int memcmp(const void *a, const void *b, size_t len);

#endif
