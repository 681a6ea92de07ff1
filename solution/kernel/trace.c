/*
 * The event ring: see trace.h.
 *
 * Each hart writes its own ring, inline and without a lock. Whoever reads does so while others write:
 * an event is believed only if its slot was not given away meanwhile.
 *
 * A ring begins with an event of type TRACE_NONE that names the running task, so that a reader knows who
 * had the hart before the first switch, and that nothing is known of the time before.
 */
#include <arch/cpu.h>
#include <mazu/init.h>
#include <mazu/task.h>
#include <mazu/time.h>
#include <mazu/trace.h>

/* The boot hart's is there from the first moment; the others bring theirs when they start. */
static struct trace_ring boot_ring;
static struct trace_ring *trace_rings[CONFIG_CPU_MAX] = { &boot_ring };

static void trace_init(void)
{
	trace_set(true);
}
INIT_HOOK(EARLY, trace_init);

/* From now on hart `hart` writes what happens there. It does not so far. */
static void ring_begin(u32 hart, struct trace_ring *ring)
{
	struct task *task = pcpus[hart].current;
	struct trace_event *event = &ring->events[ring->next++ & (TRACE_SIZE - 1)];

	event->ticks = time_ticks();
	event->word = TRACE_NONE | (u64)(task ? task_id(task) : 0) << 32;
	WRITE_ONCE(pcpus[hart].trace, ring);
}

void trace_set(bool on)
{
	for (u32 hart = 0; hart < CONFIG_CPU_MAX; hart++) {
		struct trace_ring *ring = trace_rings[hart];
		bool irqs = arch_irq_save();

		if (!on)
			WRITE_ONCE(pcpus[hart].trace, NULL);
		else if (ring && !pcpus[hart].trace)
			ring_begin(hart, ring);
		arch_irq_restore(irqs);
	}
}

bool trace_is_on(void)
{
	return this_cpu()->trace != NULL;
}

/* Off meanwhile, so that no event counts on what was there before. */
void trace_clear(void)
{
	for (u32 hart = 0; hart < CONFIG_CPU_MAX; hart++) {
		struct trace_ring *ring = trace_rings[hart];
		bool irqs = arch_irq_save();
		bool on = pcpus[hart].trace != NULL;

		WRITE_ONCE(pcpus[hart].trace, NULL);
		if (ring) {
			ring->next = 0;
			if (on)
				ring_begin(hart, ring);
		}
		arch_irq_restore(irqs);
	}
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

enum error trace_read(u32 hart, u64 index, struct trace_event *event)
{
	const struct trace_ring *ring = ring_of(hart);
	u64 next, number;

	if (!ring)
		return ERR_RANGE;
	next = READ_ONCE(ring->next);
	number = index + (next > TRACE_SIZE ? next - TRACE_SIZE : 0);
	if (number >= next || index >= TRACE_SIZE)
		return ERR_NOENT;
	*event = ring->events[number & (TRACE_SIZE - 1)];
	barrier();
	return READ_ONCE(ring->next) - number > TRACE_SIZE ? ERR_AGAIN : OK;
}
