/*
 * Memory at boot: first pages, then objects. The kernel's map follows as a task (kernel_map.c),
 * because it may fail, and because it needs nothing that comes before the drivers.
 */
#include <mazu/init.h>
#include <mazu/kmalloc.h>
#include <mazu/page.h>

static void memory_init(void)
{
	page_init();
	kmalloc_init();
}
INIT_HOOK(EARLY, memory_init);
