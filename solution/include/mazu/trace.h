/*
 * trace.h - what happened when: a ring of events for each hart.
 *
 * An event is 16 bytes: when (raw ticks), what, of whom, and a number that depends on what. The oldest is
 * overwritten; writing one takes about a dozen instructions and no lock, interrupts off.
 * tools/trace makes pictures of it; graders and `mazu timeline` read the same ring.
 *
 * Configured out (CONFIG_TRACE) nothing is left.
 */
#ifndef MAZU_TRACE_H
#define MAZU_TRACE_H

#include <arch/cpu.h>
#include <mazu/config.h>
#include <mazu/panic.h>
#include <mazu/pcpu.h>
#include <mazu/types.h>

/* Numbers are part of the format: tools/trace, the grader and mazu.py know them. */
enum trace_type {
	TRACE_NONE = 0,	  /* writing begins; task `id` has the hart. All of the event 0: no event */
	TRACE_READY = 1,  /* task `id` wants the hart; extra: 1 woken, 2 released, 3 new */
	TRACE_SWITCH = 2, /* task `id` runs from now; extra: 0 */
	TRACE_BLOCK =
		3, /* task `id` waits; extra: 1 parked, 2 asleep, 3 held, 4 ended, 5 waits for its period */
	TRACE_IRQ = 4,	     /* an interrupt that began now; id: its code; extra: ticks it took */
	TRACE_SYSCALL = 5,   /* id: task; extra: number */
	TRACE_DEADLINE = 6,  /* task `id`; extra: enum trace_deadline */
	TRACE_DOMAIN = 7,    /* domain `id`; extra: 0 exhausted, 1 refilled */
	TRACE_MODE = 8,	     /* criticality mode; id: task that caused it or 0; extra: 0 LO, 1 HI */
	TRACE_LOCK = 9,	     /* id: rank; extra: 0 contended, 1 obtained */
	TRACE_MARK = 10,     /* task `id` passed a mark; extra: its number */
	TRACE_TASK = 11,     /* task `id` was created; extra: policy */
	TRACE_WATCHDOG = 12, /* task `id` waited too long */
	TRACE_TYPES
};

enum trace_deadline {
	TRACE_DL_JOB = 0,	/* a job was released */
	TRACE_DL_MISS = 1,	/* it ended behind its deadline */
	TRACE_DL_OVERRUN = 2,	/* it wanted more than its budget */
	TRACE_DL_REPLENISH = 3, /* a full budget again */
	TRACE_DL_DONE = 4,	/* the job ended */
};

struct trace_event {
	u64 ticks;
	union {
		struct {
			u16 type;
			u16 extra;
			u32 id;
		};
		u64 word; /* all three: one store */
	};
};
static_assert(sizeof(struct trace_event) == 16, "a format that others read");

#define TRACE_SIZE (1U << CONFIG_TRACE_ORDER) /* events of a hart */

struct trace_ring {
	u64 next; /* events ever written; the newest is in slot (next - 1) % TRACE_SIZE */
	struct trace_event events[TRACE_SIZE];
};

/* Writes an event. Interrupts off; before INIT_EARLY and when off it does nothing. */
static inline void trace(u64 ticks, enum trace_type type, u32 id, u32 extra)
{
	if (IS_ENABLED(CONFIG_TRACE)) {
		struct trace_ring *ring = this_cpu()->trace;

		if (likely(ring)) {
			struct trace_event *event = &ring->events[ring->next++ & (TRACE_SIZE - 1)];

			ASSERT(!arch_irq_enabled());
			event->ticks = ticks;
			event->word = type | (extra & 0xffff) << 16 | (u64)id << 32;
		}
	}
}

/*
 * On and off, and empty again: the rings of all harts. Off, a ring stands still; on again, an event of type
 * TRACE_NONE shows the gap.
 */
void trace_set(bool on);

/* A ring for another hart, if there is memory; then, on it, it is used. */
void trace_prepare_hart(u32 hart);
void trace_init_hart(void);
void trace_clear(void);
bool trace_is_on(void);

/* How many events hart `hart` still has; 0 where there is no such hart. */
u64 trace_count(u32 hart);

/*
 * Event `index` of those that hart `hart` still has, oldest first. ERR_RANGE: no such hart; ERR_NOENT: no
 * more; ERR_BUSY: it is another hart, and it is writing.
 */
enum error __must_check trace_read(u32 hart, u64 index, struct trace_event *event);

/*
 * The next event of all harts, by time; of one hart's in the order of writing. The cursor begins with zeros. For rings
 * that stand still (trace_set). ERR_NOENT: no more.
 */
struct trace_cursor {
	u64 at[CONFIG_CPU_MAX];
};
enum error __must_check trace_read_merged(struct trace_cursor *cursor, u32 *hart,
					  struct trace_event *event);

#endif
