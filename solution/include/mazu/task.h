/*
 * task.h - tasks: threads of the kernel, each with a stack of its own.
 *
 *	struct result_task t = task_create(&(struct task_attributes){
 *		.name = STR("pump"),
 *		.params = { .policy = SCHED_FIFO, .priority = 20 },
 *	}, pump, &state);
 *
 * A task runs until it ends (task_exit, or returning), is joined by one other task, and then it is gone. One that
 * is detached goes by itself. A task that is killed ends at the next place where it waits
 * (task_park, task_sleep, task_next_period), or where it would be preempted if its
 * creator allowed that (kill_anywhere): a kernel task may hold things that nobody else would give back.
 *
 * References: whoever created a task may use it until it joined or detached it.
 */
#ifndef MAZU_TASK_H
#define MAZU_TASK_H

#include <mazu/config.h>
#include <mazu/error.h>
#include <mazu/pcpu.h>
#include <mazu/sched.h>
#include <mazu/str.h>
#include <mazu/types.h>

struct task;

RESULT_TYPE(task, struct task *);

#define TASK_NAME_MAX 16

enum task_state {
	TASK_NEW,      /* not started yet */
	TASK_RUNNABLE, /* running, waiting for the hart, or held (see task_info.held) */
	TASK_BLOCKED,  /* waits for somebody or for a time */
	TASK_DEAD,     /* ended; its memory waits for task_join */
};

struct task_attributes {
	struct str name; /* cut to TASK_NAME_MAX - 1 bytes */
	struct sched_params params;
	struct sched_domain *domain; /* NULL: none */
	u64 affinity;		     /* harts that it may run on; 0: its creator's */
	bool detached;
	bool kill_anywhere;
	bool essential; /* task_kill_id refuses it */
};

/*
 * Makes a task that will call entry(arg); what that returns is the task's result. It runs as soon as
 * its priority allows. ERR_NOMEM; ERR_INVAL, ERR_RANGE, ERR_BUSY as for sched_set; ERR_NOSPC: its
 * domain is full; ERR_INVAL, too: none of its harts is online. Nothing is left of one that failed. Task context.
 */
struct result_task __must_check task_create(const struct task_attributes *attributes,
					    u64 (*entry)(void *arg), void *arg);

/* Ends the running task. */
void task_exit(u64 result) __noreturn;

/*
 * Waits for `task` to end, returns its result, and gives back its memory. ERR_INVAL: itself, or
 * detached; ERR_BUSY: somebody else waits already.
 */
struct result_u64 __must_check task_join(struct task *task);

/* Nobody will join it. ERR_INVAL: is so already; ERR_BUSY: somebody waits for it. */
enum error task_detach(struct task *task);

/* Asks it to end: its waiting returns ERR_INTR. Its result is then TASK_KILLED, if it follows. */
void task_kill(struct task *task);
#define TASK_KILLED UINT64_MAX

/* Whether the running task was killed and should end. */
bool task_is_killed(void);

/* The running task; NULL before there are tasks. */
struct task *task_current(void);
struct str task_name(const struct task *task);

u32 task_id(const struct task *task);

/* For reports, in every stage: who has a hart, which may be another one that stands still. */
static inline struct str task_name_on(const struct pcpu *cpu)
{
	return IS_ENABLED(CONFIG_SCHED) && cpu->current ? task_name(cpu->current) : STR("boot");
}
static inline u32 task_id_on(const struct pcpu *cpu)
{
	return IS_ENABLED(CONFIG_SCHED) && cpu->current ? task_id(cpu->current) : 0;
}
static inline struct str task_current_name(void)
{
	return task_name_on(this_cpu());
}

/* The running task has another name from now on. */
void task_rename(struct str name);

/* It serves this program from now on, NULL: none, on whatever hart it runs. It serves none when it ends. Interrupts on. */
struct addrspace;
void task_use_space(struct addrspace *space);

/* ---- Waiting: task context, no lock held, preemption not disabled ---- */

/* Lets others of the same urgency run first. Interrupts on. Does not look whether the task was killed. */
void task_yield(void);

/* Waits until task_unpark(); one that came before is not lost, several are one. ERR_INTR: killed. */
enum error task_park(void);

/* The same until `deadline_ns` (monotonic): ERR_TIMEOUT. */
enum error task_park_until(u64 deadline_ns);

/* Any context. */
void task_unpark(struct task *task);

/* Until a moment of the monotonic clock, or for a while; passed already: at once. ERR_INTR: killed. */
enum error task_sleep_until(u64 deadline_ns);
enum error task_sleep(u64 duration_ns);

/*
 * The job of this period is done: waits for the release of the next one, which is a period after the last. Of
 * a task without a period: ERR_INVAL. ERR_TIMEOUT: the release has passed already, the job
 * began late, at once. ERR_INTR: killed.
 */
enum error task_next_period(void);

/* ---- Harts: kernel/smp/hart.c ---- */

/* What hart `hart` needs to run tasks, on `stack` (STACK_SIZE); then, on it, it can; then it does, for ever. */
void task_prepare_hart(u32 hart, void *stack);
void task_begin_hart(void);
void task_idle(void) __noreturn;

/* ---- Looking ---- */

struct task_info {
	u32 id;
	u8 name[TASK_NAME_MAX];
	u32 name_len;
	enum task_state state;
	bool running;
	u32 held; /* enum sched_hold bits */
	u32 hart;
	struct sched_params params;
	u64 run_ns;   /* time it had the hart */
	u64 switches; /* times it got it */
	u64 jobs, misses, overruns, throttles;
};

/* The task with the smallest id above `after`; ERR_NOENT: no more. Any context. */
enum error __must_check task_info_next(u32 after, struct task_info *info);

/* By its id, for commands: what task_kill does. ERR_NOENT; ERR_ACCESS: not this one (essential). */
enum error task_kill_id(u32 id);

#endif
