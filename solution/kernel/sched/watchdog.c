/*
 * The watchdog: tasks that are ready and do not run.
 *
 * Two parts. A callout looks at tasks, a few each time, and makes a note of who waits too long; being
 * an interrupt, it runs whatever the tasks do. A task of the highest priority prints the notes, because
 * printing a line takes thousands of instructions, which interrupts should not wait for. Where
 * even that task gets no turn there is no real time left to protect: then the callout prints.
 *
 * A round over all tasks is made of looks at no more than LOOK_TASKS, a short step apart; after a round
 * there is a pause. Both are short against the limit, so a report is at most a fifth of it late
 * (with thousands of tasks, a little more).
 *
 * What the last look saw of a task is kept in the task: how much it had run, and since when it has not run
 * more. So waiting costs those who switch nothing.
 *
 * Harts that are silent are the affair of kernel/smp/silent.c.
 */
#include <mazu/callout.h>
#include <mazu/init.h>
#include <mazu/mem.h>
#include <mazu/printk.h>
#include <mazu/task.h>
#include <mazu/time.h>
#include <mazu/watchdog.h>

#include "runqueue.h"

#define LOOK_TASKS 16
#define STEP_MS 10UL
#define PAUSE_MS_MAX 500UL

/* A power of two. Who finds no room is found again in the next round. */
#define NOTES 16

/* What a report says; the task may be gone when it is printed. */
struct note {
	u64 waited; /* ticks */
	u32 id;
	enum sched_policy policy;
	u32 name_len;
	u8 name[TASK_NAME_MAX];
};

static struct callout look_callout;
static struct task *printer;
static u64 limit, step, pause; /* ticks; while it looks they are constant */
static u32 last_looked;	       /* a task's number; 0: a round begins */

static struct note notes[NOTES];
static u32 notes_made;	 /* ever; the callout writes */
static u32 notes_taken;	 /* ever; who takes one exchanges it */
static u64 oldest_waits; /* the callout's: ticks since when there is a note; 0: none */

u64 watchdog_reports(void)
{
	return READ_ONCE(notes_made);
}

/* ---- Printing ---- */

/* Pairs with note_make(). */
static bool notes_wait(void)
{
	return __atomic_load_n(&notes_made, __ATOMIC_ACQUIRE) != READ_ONCE(notes_taken);
}

/*
 * The task and the callout may both try: a copy counts when nobody else took the note meanwhile.
 * Pairs with note_make(), both ways: it is written when we read, and read when it is written again.
 */
static bool note_take(struct note *note)
{
	u32 taken = __atomic_load_n(&notes_taken, __ATOMIC_RELAXED);

	do {
		if (__atomic_load_n(&notes_made, __ATOMIC_ACQUIRE) == taken)
			return false;
		*note = notes[taken % NOTES];
	} while (!__atomic_compare_exchange_n(&notes_taken, &taken, taken + 1, false,
					      __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
	return true;
}

static void note_print(void)
{
	struct note note;

	if (note_take(&note))
		pr_err("watchdog: task %u (%.*s, %.*s) is ready and has not run for %lu ms",
		       note.id, (int)note.name_len, (const char *)note.name,
		       STR_ARG(sched_policy_name(note.policy)),
		       time_ns_for(note.waited) / NS_PER_MS);
}

static u64 printer_main(void *unused)
{
	(void)unused;
	while (task_park() == OK)
		while (notes_wait())
			note_print();
	return 0;
}

/* ---- Looking ---- */

/* False: no room now. Pairs with note_take(). */
static bool note_make(const struct task *task, u64 waited)
{
	struct note *note = &notes[notes_made % NOTES];

	if (notes_made - __atomic_load_n(&notes_taken, __ATOMIC_ACQUIRE) == NOTES)
		return false;
	*note = (struct note){
		.waited = waited,
		.id = task->id,
		.policy = task->params.policy,
		.name_len = task->name_len,
	};
	memcpy(note->name, task->name, sizeof(note->name));
	__atomic_store_n(&notes_made, notes_made + 1, __ATOMIC_RELEASE);
	return true;
}

/* It wants the hart and had not a tick of it since the last look. */
static bool is_stuck(const struct task *task)
{
	return task->state == TASK_RUNNABLE && !task->held && task != task->rq->current &&
	       task->run_ticks == task->watch.ran;
}

static void look_at(struct task *task, u64 now)
{
	struct watch *watch = &task->watch;

	if (likely(!is_stuck(task)) || !watch->since) { /* a new task: it begins to wait now */
		*watch = (struct watch){ .ran = task->run_ticks, .since = now };
		return;
	}
	if (watch->told || now - watch->since <= limit || !note_make(task, now - watch->since))
		return;
	watch->told = true;
	trace(now, TRACE_WATCHDOG, task->id, 0);
}

/* The next few; true: there are more. */
static bool look_at_some(u64 now)
{
	bool irqs = spin_lock_irqsave(&tasks_lock);
	struct task *task = task_after_locked(last_looked);
	struct rb_node *node = task ? &task->by_id : NULL;

	for (u32 i = 0; i < LOOK_TASKS && node; i++, node = rb_next(node)) {
		task = container_of(node, struct task, by_id);
		look_at(task, now);
		last_looked = task->id;
	}
	spin_unlock_irqrestore(&tasks_lock, irqs);
	if (!node)
		last_looked = 0;
	return node;
}

/* The printer gets a turn; if it had none in all of a pause, nobody waits for it any longer. */
static void pass_on(u64 now)
{
	if (!notes_wait()) {
		oldest_waits = 0;
		return;
	}
	if (!oldest_waits)
		oldest_waits = now;
	if (now - oldest_waits > pause)
		note_print();
	else
		task_unpark(printer);
}

static void look(struct callout *callout)
{
	u64 now = time_ticks();
	bool more = look_at_some(now);

	pass_on(now);
	callout_arm(callout, now + (more || notes_wait() ? step : pause));
}

void watchdog_set_limit(u32 ms)
{
	u64 pause_ms = MIN(ms / 10 + 1UL, PAUSE_MS_MAX);

	callout_cancel_sync(&look_callout);
	limit = time_ticks_for(ms * NS_PER_MS);
	pause = time_ticks_for(pause_ms * NS_PER_MS);
	step = time_ticks_for(MIN(pause_ms, STEP_MS) * NS_PER_MS);
	callout_arm(&look_callout, time_ticks() + pause);
}

static enum error watchdog_init(void)
{
	struct result_task task = task_create(
		&(struct task_attributes){
			.name = STR("watchdog"),
			.params = { .policy = SCHED_FIFO, .priority = CONFIG_SCHED_NPRIO - 1 },
			.essential = true,
		},
		printer_main, NULL);

	if (task.err)
		return task.err;
	printer = task.value;
	callout_init(&look_callout, look);
	watchdog_set_limit(CONFIG_WATCHDOG_TASK_MS);
	return OK;
}
INIT_TASK(watchdog, watchdog_init);
