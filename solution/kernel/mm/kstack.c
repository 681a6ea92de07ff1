/*
 * Kernel stacks: see kstack.h. Where the kernel runs without translation (kernel_map.c) the guard
 * page is there, and only trap entry's check of the stack pointer stands behind it.
 *
 * Hiding a page and showing it again concerns all harts, which takes thousands of instructions where there are
 * several. So a few stacks of tasks that have ended are kept as they are, their guards hidden, for those that come.
 */
#include <arch/layout.h>
#include <mazu/fault_inject.h>
#include <mazu/kernel_map.h>
#include <mazu/kstack.h>
#include <mazu/page.h>
#include <mazu/spinlock.h>

static_assert(STACK_SIZE == PAGE_SIZE << STACK_ORDER, "a stack is a block of pages");
static_assert(STACK_GUARD == PAGE_SIZE, "a guard is a page");

static struct spinlock kept_lock = SPINLOCK_INIT(LOCK_STACKS);
static void *kept[CONFIG_KSTACK_KEPT]; /* kept_lock, like the next */
static u32 kept_count;

/* NULL: none is kept. */
static void *kept_take(void)
{
	void *block = NULL;

	spin_lock(&kept_lock);
	if (kept_count)
		block = kept[--kept_count];
	spin_unlock(&kept_lock);
	return block;
}

/* False: there are enough, or their guards cannot be hidden. */
static bool kept_put(void *block)
{
	bool has_room;

	spin_lock(&kept_lock);
	has_room = kernel_map_is_on() && kept_count < CONFIG_KSTACK_KEPT;
	if (has_room)
		kept[kept_count++] = block;
	spin_unlock(&kept_lock);
	return has_room;
}

static struct result_ptr stack_make(void)
{
	struct result_ptr block = page_alloc(STACK_ORDER, PAGE_STACK);
	enum error err;

	if (block.err || !kernel_map_is_on())
		return block;
	err = kernel_map_hide(block.value);
	if (!err)
		return block;
	page_free(block.value, STACK_ORDER);
	return result_ptr_err(err);
}

static void stack_unmake(void *block)
{
	if (kernel_map_is_on())
		kernel_map_show(block);
	page_free(block, STACK_ORDER);
}

struct result_ptr kstack_alloc(void)
{
	void *block;

	if (fault_inject_hit())
		return result_ptr_err(ERR_NOMEM);
	block = kept_take();
	return block ? result_ptr_ok(block) : stack_make();
}

void kstack_free(void *block)
{
	if (!kept_put(block))
		stack_unmake(block);
}

void kstack_drain(void)
{
	void *block;

	while ((block = kept_take()))
		stack_unmake(block);
}
