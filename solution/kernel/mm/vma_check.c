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
	const struct vma *area = vma_find(set, start);

	if (size == 0)
		return OK;
	while (area && (area->rights & access) == access) {
		size_t here = area->end - start;

		if (size <= here)
			return OK;
		size -= here;
		start = area->end;
		area = vma_find(set, start);
	}
	return ERR_FAULT;
}
