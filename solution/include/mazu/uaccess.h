/*
 * uaccess.h - copying to and from the program that this hart runs.
 *
 * A program's pointer is a number that it chose. Each function checks that the whole range
 * lies in the program's addresses and in areas that allow the access, and then copies with
 * the hart's permission to touch user pages switched on for the copy only. A page that cannot be
 * had (the limit, no memory) ends the copy: what is left is not copied, and the answer is ERR_FAULT.
 *
 * ERR_FAULT: any byte of it is not the program's to use so, or no program is running. A copy of 0
 * bytes is OK whatever the address. Not from interrupts, and with no lock held: pages may be made
 * present on the way.
 */
#ifndef MAZU_UACCESS_H
#define MAZU_UACCESS_H

#include <mazu/bytes.h>
#include <mazu/error.h>

enum error __must_check copy_from_user(void *to, uptr from, size_t size);
enum error __must_check copy_to_user(uptr to, const void *from, size_t size);

/*
 * Text up to, not including, its NUL; at most `to.len` bytes. ERR_RANGE: there is no NUL within that.
 */
struct result_sz __must_check copy_text_from_user(struct byte_array to, uptr from);

#endif
