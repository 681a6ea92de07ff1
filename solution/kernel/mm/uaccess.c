/*
 * The checks in front of a copy to or from a program: see uaccess.h.
 *
 * In order: is there a program, does the range lie within its addresses (a length that wraps does
 * not), do its areas allow the access everywhere; then the copy itself (arch/riscv64/uaccess.S),
 * which may still fail where a page cannot be had.
 */
#include <arch/uaccess.h>
#include <mazu/addrspace.h>
#include <mazu/page.h>
#include <mazu/uaccess.h>

static_assert(ERR_FAULT == UACCESS_FAULT, "arch/uaccess.h");

static enum error user_check(const struct addrspace *space, uptr start, size_t size, u32 access)
{
	if (!space || start < space->start || start >= space->end || size > space->end - start)
		return ERR_FAULT;
	return vma_check(&space->areas, start, size, access);
}

enum error copy_from_user(void *to, uptr from, size_t size)
{
	if (size == 0)
		return OK;
	if (user_check(addrspace_current(), from, size, VM_READ))
		return ERR_FAULT;
	return arch_user_copy(to, (const void *)from, size);
}

enum error copy_to_user(uptr to, const void *from, size_t size)
{
	if (size == 0)
		return OK;
	if (user_check(addrspace_current(), to, size, VM_WRITE))
		return ERR_FAULT;
	return arch_user_copy((void *)to, from, size);
}

/* A page at a time: how far the text goes is known only when it has been read. */
struct result_sz copy_text_from_user(struct byte_array to, uptr from)
{
	size_t len = 0, step;

	for (; len < to.len; len += step) {
		size_t copied;

		step = MIN(to.len - len, PAGE_SIZE - ((from + len) & PAGE_MASK));
		if (user_check(addrspace_current(), from + len, step, VM_READ))
			return result_sz_err(ERR_FAULT);
		copied = arch_user_text(to.data + len, (const u8 *)from + len, step);
		if (copied == SIZE_MAX)
			return result_sz_err(ERR_FAULT);
		if (copied < step)
			return result_sz_ok(len + copied);
	}
	return result_sz_err(ERR_RANGE);
}
