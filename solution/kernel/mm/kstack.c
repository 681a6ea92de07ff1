/*
 * Kernel stacks: see kstack.h. Where the kernel runs without translation (kernel_map.c) the guard
 * page is there, and only trap entry's check of the stack pointer stands behind it.
 */
#include <arch/layout.h>
#include <mazu/kernel_map.h>
#include <mazu/kstack.h>
#include <mazu/page.h>

static_assert(STACK_SIZE == PAGE_SIZE << STACK_ORDER, "a stack is a block of pages");
static_assert(STACK_GUARD == PAGE_SIZE, "a guard is a page");

struct result_ptr kstack_alloc(void)
{
	struct result_ptr block = page_alloc(STACK_ORDER, PAGE_STACK);

	if (block.err || !kernel_map_is_on())
		return block;

	enum error err = kernel_map_hide(block.value);

	if (!err)
		return block;
	page_free(block.value, STACK_ORDER);
	return result_ptr_err(err);
}

void kstack_free(void *block)
{
	if (kernel_map_is_on())
		kernel_map_show(block);
	page_free(block, STACK_ORDER);
}
