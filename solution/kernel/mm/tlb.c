/*
 * Shootdown: other harts forget translations. See tlb.h.
 *
 * Who changed an entry flushes here first, then on the others, and goes on when they have done it: the firmware
 * interrupts them wherever they are, interrupts on or off, so nobody waits for a lock and nobody can be waited for
 * in a circle.
 *
 * Two races, and their answers. A hart begins to use the space while it is being changed: it says so (tlb_use) before it
 * reads the table, and who changes the table writes it before looking who uses it, with a full fence in each. One
 * of the two sees the other. And who changes it may be moved to another hart between the two flushes: preemption
 * is off.
 *
 * Order: the fence in tlb_use() is paired with that in harts_of(); for the kernel's own space, it is hart_main()'s.
 *
 * Left out: forgetting on a hart only when it comes back to the space. Programs here seldom move.
 *
 * Source: Privileged Architecture 20211203, section 4.2.1; SBI 1.0, RFENCE extension.
 */
#include <arch/hart.h>
#include <mazu/atomic.h>
#include <mazu/panic.h>
#include <mazu/preempt.h>
#include <mazu/spinlock.h>
#include <mazu/tlb.h>

struct tlb_space {
	u64 harts;     /* atomic: those that may remember something of it */
	bool deferred; /* its owner's, like the next two */
	uptr start, end;
};

static struct tlb_space tlb_spaces[CONFIG_SPACE_MAX + 1]; /* by identifier; [0] is the kernel's */
static u64 shootdowns[CONFIG_CPU_MAX];			  /* each: its hart, preemption off */

/* The harts that may remember something of the space. What was written to its table is written. */
static u64 harts_of(u16 asid)
{
	atomic_fence_full();
	return asid ? atomic_load_relaxed(&tlb_spaces[asid].harts) : harts_online();
}

void tlb_use(u16 asid)
{
	u64 bit = hart_bit(this_cpu()->index);

	if (!asid || atomic_load_relaxed(&tlb_spaces[asid].harts) & bit)
		return;
	atomic_or_relaxed(&tlb_spaces[asid].harts, bit);
	atomic_fence_full();
}

void tlb_forget_users(u16 asid)
{
	if (asid)
		atomic_store_relaxed(&tlb_spaces[asid].harts, 0);
}

struct shot {
	uptr start;
	u64 size;
	u16 asid;
};

static void shot_here(void *arg)
{
	const struct shot *shot = arg;

	if (shot->size == 1)
		arch_tlb_flush_page(shot->start, shot->asid);
	else
		arch_tlb_flush_asid(shot->asid);
}

/* They have done it when it returns. A hart that waits in the firmware ends no turn: explore.h. */
static void tell(u64 harts, struct shot *shot)
{
	if (explore_is_on())
		smp_call(harts, shot_here, shot);
	else
		arch_tlb_flush_remote(harts, shot->start, shot->size, shot->asid);
}

/* The other harts that may remember it forget it. Preemption off. */
static void shoot(uptr start, u64 size, u16 asid)
{
	struct shot shot = { .start = start, .size = size, .asid = asid };
	u64 harts = harts_of(asid) & harts_other();

	if (!harts)
		return;
	shootdowns[this_cpu()->index]++;
	tell(harts, &shot);
}

static void defer(struct tlb_space *space, uptr start, u64 size)
{
	space->start = MIN(space->start, start);
	space->end = MAX(space->end, size == TLB_ALL ? UINT64_MAX : start + size);
}

void tlb_flush_all_harts(uptr start, u64 size, u16 asid)
{
	preempt_disable();
	if (size == TLB_ALL)
		arch_tlb_flush_asid(asid);
	else
		arch_tlb_flush_page(start, asid);
	if (tlb_spaces[asid].deferred)
		defer(&tlb_spaces[asid], start, size);
	else
		shoot(start, size, asid);
	preempt_enable();
}

void tlb_defer(u16 asid)
{
	if (asid)
		tlb_spaces[asid] = (struct tlb_space){ .harts = tlb_spaces[asid].harts,
						       .deferred = true,
						       .start = UINT64_MAX };
}

void tlb_deferred_flush(u16 asid)
{
	struct tlb_space *space = &tlb_spaces[asid];

	if (!space->deferred)
		return;
	space->deferred = false;
	if (space->end == 0)
		return;
	preempt_disable();
	shoot(space->start, space->end - space->start, asid);
	preempt_enable();
}

u64 tlb_shootdowns(u32 hart)
{
	return hart < CONFIG_CPU_MAX ? READ_ONCE(shootdowns[hart]) : 0;
}
