/*
 * kernel_map.h - the kernel's own view of memory: each page once, and W^X.
 *
 *	text		read, execute		constants	read
 *	data, memory	read, write		device tree	read
 *	devices		read, write		all else	nothing
 *
 * Memory and devices appear at their physical addresses, in pages as large as fit; a page that
 * needs rights of its own splits them. What firmware keeps, address 0, the guard pages under the
 * stacks and every device that nobody named fault.
 */
#ifndef MAZU_KERNEL_MAP_H
#define MAZU_KERNEL_MAP_H

#include <mazu/pagetable.h>

struct addrspace;

/* The kernel's tree; user spaces share its entries of the root. Guarded by kernel_map_lock. */
extern struct pagetable kernel_pagetable;

/* Whether translation is on: without memory for the tables the kernel runs without. */
bool kernel_map_is_on(void);

/* This hart translates by it from now on. It is there. */
void kernel_map_enter(void);

/* Takes one page out of the kernel's view, or puts it back as data. ERR_NOMEM: a table. */
enum error __must_check kernel_map_hide(void *page);
void kernel_map_show(void *page);

/* A user space of its own table: gets the kernel's part, and is told when that changes; no more. */
void kernel_map_add_space(struct addrspace *space);
void kernel_map_remove_space(struct addrspace *space);

#endif
