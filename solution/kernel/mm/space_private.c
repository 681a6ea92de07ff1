/*
 * The private profile: each space has a table and an identifier (ASID) of its own.
 *
 * The hart keeps translations of several spaces and tells them apart by their identifiers, so
 * changing from one to another forgets nothing. Identifiers are as many as there may be spaces: one
 * lasts as long as its space, and before it is used again its translations are forgotten.
 * A hart without identifiers has the one, 0, for all; addrspace_switch() flushes then.
 */
#include <mazu/addrspace.h>
#include <mazu/init.h>
#include <mazu/kernel_map.h>
#include <mazu/page.h>
#include <mazu/printk.h>
#include <mazu/spinlock.h>

static u16 asid_largest; /* written once, at boot */
static struct spinlock asid_lock = SPINLOCK_INIT(LOCK_KERNEL_MAP);
static bool asid_used[CONFIG_SPACE_MAX + 1]; /* asid_lock; [0] is the kernel's */

static enum error asid_init(void)
{
	asid_largest = MIN(mmu_asid_max(), (u16)CONFIG_SPACE_MAX);
	pr_debug("asid: %u address spaces told apart", asid_largest);
	return OK;
}
INIT_TASK(asid, asid_init, "kernel_map");

/* 0 with ERR_NOSPC: all are used; 0 with OK: the hart has none. Bounded by CONFIG_SPACE_MAX. */
static struct result_u32 asid_get(void)
{
	struct result_u32 found = asid_largest ? result_u32_err(ERR_NOSPC) : result_u32_ok(0);

	spin_lock(&asid_lock);
	for (u32 asid = 1; asid <= asid_largest && found.err; asid++)
		if (!asid_used[asid]) {
			asid_used[asid] = true;
			found = result_u32_ok(asid);
		}
	spin_unlock(&asid_lock);
	return found;
}

static void asid_put(u16 asid)
{
	spin_lock(&asid_lock);
	tlb_forget_users(asid);
	asid_used[asid] = false;
	spin_unlock(&asid_lock);
}

enum error space_table_get(struct addrspace *space)
{
	struct result_u32 asid = asid_get();

	if (asid.err)
		return asid.err;

	struct result_ptr root = pt_table_alloc(&space->pt);

	if (root.err) {
		asid_put((u16)asid.value);
		return root.err;
	}
	space->pt.root = root.value;
	space->pt.asid = (u16)asid.value;
	space->start = USER_START;
	space->end = USER_END;
	kernel_map_add_space(space);
	return OK;
}

void space_table_put(struct addrspace *space)
{
	kernel_map_remove_space(space);
	pt_release(&space->pt, space->start, space->end);
	pt_table_free(&space->pt, space->pt.root);
	asid_put(space->pt.asid);
}
