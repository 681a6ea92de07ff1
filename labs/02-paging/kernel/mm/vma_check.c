/*
 * May a program touch these bytes? The question behind every pointer that it hands to the kernel,
 * and behind every page fault.
 *
 * The range may lie across several areas. It is allowed when each byte of it lies in an area, and
 * each of these areas has every right that is asked for. So: find the area of the first
 * byte, look at its rights, go on where it ends with its neighbour, which must begin right
 * there, until the range is used up.
 *
 * Both numbers are the program's choice. Their sum may wrap around the end of the address space,
 * so it is not formed: what is left of the range is compared with what is left of the area.
 */
#include <mazu/vma.h>

enum error vma_check(const struct vma_set *set, uptr start, size_t size, u32 access)
{
	/*
	 * A size of 0 is always OK. Begin with the area that contains `start` (vma_find); it
	 * must have every right in `access`. If it holds the rest of the range, that is OK; if
	 * not, the next area in the array must begin where this one ends, and so on. The range
	 * may wrap around the end of all addresses: compare what is left with the room in the
	 * area, and add nothing that could overflow.
	 */
	LAB_TODO(2, 5);
}
/* mazu: lab 2 interface 30eea4e8c7da */
