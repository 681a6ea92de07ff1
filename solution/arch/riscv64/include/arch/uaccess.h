/*
 * uaccess.h - the copies that may touch a program's pages (uaccess.S). For kernel/mm/uaccess.c only:
 * nothing is checked here but that a fault ends the copy.
 */
#ifndef ARCH_UACCESS_H
#define ARCH_UACCESS_H

/* ERR_FAULT, for assembly. */
#define UACCESS_FAULT 16

#ifndef __ASSEMBLER__

#include <mazu/error.h>

/* ERR_FAULT: a page could not be had; a part may have been copied. */
enum error arch_user_copy(void *to, const void *from, size_t size);

/* Bytes before the NUL; `size`: there is none in as many; SIZE_MAX: a page could not be had. */
size_t arch_user_text(u8 *to, const u8 *from, size_t size);

#endif
#endif
