/*
 * callout.h - being called at a moment.
 *
 *	callout_init(&c, wake_up);
 *	callout_arm(&c, time_ticks() + time_ticks_for(5 * NS_PER_MS));
 *
 * Each hart has a queue of its own, ordered by time; callouts of one moment run in the order in which they
 * were armed. The function runs in the timer interrupt of the hart that armed it, interrupts off and
 * no lock held, at or after its moment and never before; it must be short (waking a task is), and may arm
 * its callout again. After CALLOUT_BATCH_TICKS an interrupt begins no other: a burst of thousands cannot keep
 * interrupts off.
 *
 * Whoever owns the callout keeps its memory until it is neither armed nor running:
 * callout_cancel_sync() makes sure. How late each ran is counted in six bins, by powers of ten.
 *
 * Arm and cancel: any context, LOCK_CALLOUT is taken. O(log n) of what is armed.
 */
#ifndef MAZU_CALLOUT_H
#define MAZU_CALLOUT_H

#include <mazu/rbtree.h>
#include <mazu/spinlock.h>
#include <mazu/types.h>

#define CALLOUT_BATCH_TICKS 3
#define CALLOUT_NONE UINT64_MAX
#define CALLOUT_BINS 6 /* up to 10 us, 100 us, 1 ms, 10 ms, 100 ms, and longer */

struct callout_queue;

struct callout {
	struct rb_node node;		      /* key: raw ticks. queue->lock */
	void (*run)(struct callout *callout); /* const */
	struct callout_queue *queue;	      /* the last it was armed in; NULL: never */
};

struct callout_statistics {
	u64 armed, run, cancelled;
	u64 late;	    /* by more than 100 us */
	u64 late_max_ticks; /* of those behind the first bin */
	u64 bins[CALLOUT_BINS];
};

struct callout_queue {
	struct spinlock lock;
	struct rb_tree tree;		      /* lock */
	u64 next;			      /* lock to write: key of the first, or CALLOUT_NONE */
	struct callout *running;	      /* its hart to write: the one whose function runs */
	u64 bins_ticks[CALLOUT_BINS - 1];     /* upper ends of the bins; const */
	struct callout_statistics statistics; /* lock */
} __per_hart;

void callout_queue_init(struct callout_queue *queue);

/* One that is not armed. Memory that is all zero is a callout that is not armed. */
void callout_init(struct callout *callout, void (*run)(struct callout *callout));

/* To run at `when` (raw ticks; passed already: at once). One that is armed moves. */
void callout_arm(struct callout *callout, u64 when_ticks);

/* True: it was armed, and will not run. False: it was not, or runs at this moment. */
bool callout_cancel(struct callout *callout);

/*
 * The same, and waits on other harts for the function to return, if it runs. Not from the function
 * itself, and not with a lock held that the function takes.
 */
bool callout_cancel_sync(struct callout *callout);

static inline bool callout_is_armed(const struct callout *callout)
{
	return rb_is_queued(&callout->node);
}

/* When the first wants to run; CALLOUT_NONE: none is armed. Without the lock: another hart may cancel it just now. */
static inline u64 callout_next(const struct callout_queue *queue)
{
	return READ_ONCE(queue->next);
}

/* The first may be another one. Queue locked. */
static inline void callout_note_first(struct callout_queue *queue)
{
	const struct rb_node *first = rb_first(&queue->tree);

	WRITE_ONCE(queue->next, first ? first->key : CALLOUT_NONE);
}

/* One ran so late that the first bin does not hold it. Queue locked. */
void callout_count_late(struct callout_queue *queue, u64 late_ticks);

/* A copy of the figures of hart `hart`; ERR_RANGE: there is none. Reset begins them at 0 again. */
enum error __must_check callout_statistics(u32 hart, struct callout_statistics *statistics);
void callout_statistics_reset(void);

#endif
