/*
 * The event ring: see trace.h.
 *
 * Each hart writes its own ring, inline, without a lock and without an order of its stores that another hart could go
 * by: that would cost each event a fence. So a hart reads its own ring, interrupts off, at any time, and another's
 * while that one stands still. What trace_set() says is a call: whatever a hart wrote before it stopped is there for
 * who stopped it. That it begins to write again is seen by who reads meanwhile: ring_begin() says so, and
 * releases, before the first event; trace_read() reads an event, acquires, and looks who writes.
 *
 * A ring begins with an event of type TRACE_NONE that names the running task, so that a reader knows who
 * had the hart before the first switch, and that nothing is known of the time before.
 */
#include <arch/cpu.h>
#include <mazu/init.h>
#include <mazu/kmalloc.h>
#include <mazu/smp.h>
#include <mazu/task.h>
#include <mazu/time.h>
#include <mazu/trace.h>

/* The boot hart's is there from the first moment; the others' are made when they are started. */
static struct trace_ring boot_ring;
static struct trace_ring *trace_rings[CONFIG_CPU_MAX] = { &boot_ring };
static bool is_on; /* what all harts are told last */

static void trace_init(void)
{
	trace_set(true);
}
INIT_HOOK(EARLY, trace_init);

/* From now on this hart writes what happens here. It does not so far. */
static void ring_begin(struct trace_ring *ring)
{
	struct task *task = this_cpu()->current;

	WRITE_ONCE(this_cpu()->trace, ring);
	atomic_fence_release(); /* pairs with trace_read() */
	trace(time_ticks(), TRACE_NONE, task ? task_id(task) : 0, 0);
}

static void set_here(void *on)
{
	struct trace_ring *ring = trace_rings[this_cpu()->index];

	if (!*(bool *)on)
		WRITE_ONCE(this_cpu()->trace, NULL);
	else if (ring && !this_cpu()->trace)
		ring_begin(ring);
}

void trace_set(bool on)
{
	is_on = on;
	on_each_hart(set_here, &on);
}

void trace_prepare_hart(u32 hart)
{
	trace_rings[hart] = kmalloc_zero(sizeof(struct trace_ring)).value;
}

void trace_init_hart(void)
{
	set_here(&is_on);
}

bool trace_is_on(void)
{
	return this_cpu()->trace != NULL;
}

/* Off meanwhile, so that no event counts on what was there before. */
static void clear_here(void *unused)
{
	struct trace_ring *ring = trace_rings[this_cpu()->index];
	bool on = this_cpu()->trace != NULL;

	(void)unused;
	WRITE_ONCE(this_cpu()->trace, NULL);
	if (!ring)
		return;
	ring->next = 0;
	if (on)
		ring_begin(ring);
}

void trace_clear(void)
{
	on_each_hart(clear_here, NULL);
}

static const struct trace_ring *ring_of(u32 hart)
{
	return hart < CONFIG_CPU_MAX ? trace_rings[hart] : NULL;
}

u64 trace_count(u32 hart)
{
	const struct trace_ring *ring = ring_of(hart);

	return ring ? MIN(READ_ONCE(ring->next), (u64)TRACE_SIZE) : 0;
}

/* If nobody writes meanwhile. */
static enum error event_copy(const struct trace_ring *ring, u64 index, struct trace_event *event)
{
	u64 next = READ_ONCE(ring->next);
	u64 number = index + (next > TRACE_SIZE ? next - TRACE_SIZE : 0);

	if (number >= next || index >= TRACE_SIZE)
		return ERR_NOENT;
	*event = ring->events[number & (TRACE_SIZE - 1)];
	return OK;
}

enum error trace_read(u32 hart, u64 index, struct trace_event *event)
{
	const struct trace_ring *ring = ring_of(hart);
	enum error err;
	bool irqs;

	if (!ring)
		return ERR_RANGE;
	irqs = arch_irq_save();
	err = event_copy(ring, index, event);
	atomic_fence_acquire(); /* pairs with ring_begin() */
	if (hart != this_cpu()->index && READ_ONCE(pcpus[hart].trace) == ring)
		err = ERR_BUSY;
	arch_irq_restore(irqs);
	return err;
}

enum error trace_read_merged(struct trace_cursor *cursor, u32 *hart, struct trace_event *event)
{
	struct trace_event candidate;
	bool found = false;

	for (u32 i = 0; i < CONFIG_CPU_MAX; i++) {
		if (trace_read(i, cursor->at[i], &candidate))
			continue;
		if (found && candidate.ticks >= event->ticks)
			continue;
		*event = candidate;
		*hart = i;
		found = true;
	}
	if (!found)
		return ERR_NOENT;
	cursor->at[*hart]++;
	return OK;
}
