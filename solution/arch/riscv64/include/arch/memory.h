/*
 * memory.h - the virtual addresses of this architecture.
 *
 * Sv39 has 512 GiB. Of the lower half, the first 128 GiB are the kernel's: memory and devices
 * appear at their physical addresses, each page once, so no page can be reached with two
 * different sets of rights. The other 128 GiB belong to user programs. The upper half is empty.
 */
#ifndef ARCH_MEMORY_H
#define ARCH_MEMORY_H

#include <mazu/types.h>

/* Physical memory at or above this is out of the kernel's reach. */
#define ARCH_PHYSICAL_END (1UL << 37)

#define USER_START (1UL << 37)
#define USER_END (1UL << 38)

static inline u64 virt_to_phys(const void *address)
{
	return (uptr)address;
}

static inline void *phys_to_virt(u64 address)
{
	return (void *)address;
}

/* Clears 4096 bytes, aligned to 8. */
void arch_page_zero(void *page);

#endif
