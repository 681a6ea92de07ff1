/*
 * bootargs.h - what the person who started the machine asked for.
 *
 * The kernel command line (/chosen/bootargs in the device tree): words between blanks, each `key`
 * or `key=value`. There is no quoting. An unknown word is nobody's; it is not an error.
 */
#ifndef MAZU_BOOTARGS_H
#define MAZU_BOOTARGS_H

#include <mazu/str.h>
#include <mazu/types.h>

/* The last one with that key counts. ERR_NOENT: none; an empty value: key alone, or key=. */
struct result_str __must_check bootargs_find(struct str key);

/* The value as a number, or `otherwise` when it is absent or no number. */
u64 bootargs_number(struct str key, u64 otherwise);

#endif
