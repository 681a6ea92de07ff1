/*
 * The shared profile: one table for all, and in it a window a space.
 *
 * A window is what one entry of the root covers, so a space's tables hang from an entry of their
 * own. The hart sees the pages of all programs at once: what keeps a program within its window
 * are its areas, and the kernel's checks of them.
 */
#include <mazu/addrspace.h>
#include <mazu/kernel_map.h>
#include <mazu/page.h>
#include <mazu/panic.h>
#include <mazu/spinlock.h>

#define WINDOW_SIZE (1UL << 30)
static_assert(CONFIG_SPACE_MAX <= (USER_END - USER_START) / WINDOW_SIZE, "a window for each space");

static struct spinlock window_lock = SPINLOCK_INIT(LOCK_KERNEL_MAP);
static bool window_used[CONFIG_SPACE_MAX]; /* window_lock */

enum error space_table_get(struct addrspace *space)
{
	u32 window = 0;

	spin_lock(&window_lock);
	while (window < CONFIG_SPACE_MAX && window_used[window])
		window++;
	if (window < CONFIG_SPACE_MAX)
		window_used[window] = true;
	spin_unlock(&window_lock);
	if (window == CONFIG_SPACE_MAX)
		return ERR_NOSPC;

	ASSERT(pt_level_size(PT_LEVELS - 1) == WINDOW_SIZE);
	space->window = window;
	space->pt.root = kernel_pagetable.root;
	space->start = USER_START + window * WINDOW_SIZE;
	space->end = space->start + WINDOW_SIZE;
	return OK;
}

void space_table_put(struct addrspace *space)
{
	pt_release(&space->pt, space->start, space->end);
	spin_lock(&window_lock);
	window_used[space->window] = false;
	spin_unlock(&window_lock);
}
