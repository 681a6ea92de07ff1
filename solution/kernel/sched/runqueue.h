/*
 * runqueue.h - the inside of the scheduler: a task, the queues of a hart, and who fills them.
 *
 * Times here are raw ticks of the platform's timer (time_ticks), so that what is compared with the
 * hardware is what the hardware counts; nanoseconds are what people say (sched.h).
 *
 * A task is *queued* exactly when it is RUNNABLE and no bit of `held` is set. Queued means: it is in the
 * queue of its class, with one exception that is the class's own affair: the fair class keeps the
 * running task out of its tree (start and stop below). All that waits for a budget, a domain or a
 * mode is a bit of `held`, set by sched_hold() and cleared by sched_release(); nothing else keeps a
 * task that could run from running.
 *
 * Classes know neither the hart, nor the timer, nor the switch: they are functions of a run queue, a task and a
 * time. Host tests run them against a clock of their own.
 *
 * Letters: q the lock of the task's run queue; t tasks_lock; c written before anybody else sees it.
 */
#ifndef MAZU_KERNEL_SCHED_RUNQUEUE_H
#define MAZU_KERNEL_SCHED_RUNQUEUE_H

#include <arch/context.h>
#include <mazu/callout.h>
#include <mazu/list.h>
#include <mazu/rbtree.h>
#include <mazu/sched.h>
#include <mazu/spinlock.h>
#include <mazu/task.h>
#include <mazu/trace.h>

struct runqueue;

/*
 * A class of policies. All run with the queue's lock held, interrupts off, and take O(log n) of
 * what the class has queued, at most. NULL: nothing to do.
 */
struct sched_class {
	struct str name;
	u32 rank; /* a higher class preempts a lower one */

	/* The task begins to be queued: it woke up, was released, is new, or changed its parameters. */
	void (*enqueue)(struct runqueue *rq, struct task *task, u64 now);
	/* It ends to be queued. It may be the running one. */
	void (*dequeue)(struct runqueue *rq, struct task *task, u64 now);
	/* A queued task begins to run, or stops to run and stays queued. */
	void (*start)(struct runqueue *rq, struct task *task);
	void (*stop)(struct runqueue *rq, struct task *task);
	/* The running task had the hart for `ticks` more. What it has used up is dealt with here. */
	void (*charge)(struct runqueue *rq, struct task *task, u64 ticks, u64 now);
	/* When the running task must be looked at again, if it runs on: UINT64_MAX is never. */
	u64 (*expires)(struct runqueue *rq, const struct task *task, u64 now);
	/* It lets those of the same urgency go first. Queued, running. */
	void (*yield)(struct runqueue *rq, struct task *task, u64 now);
	/* Both queued, of this class: whether `task`, which came just now, may have to run before `best`. */
	bool (*preempts)(const struct runqueue *rq, const struct task *task,
			 const struct task *best);
	/* Debug builds: panics when the class's queues are not what they should be. */
	void (*check)(const struct runqueue *rq);
};

/* sched_class.rank */
enum { RANK_IDLE, RANK_FAIR, RANK_RT, RANK_DEADLINE };

extern const struct sched_class dl_class, rt_fifo_class, rt_rr_class, fair_class, idle_class;

/* ---- What each class keeps of a task (q) ---- */

struct rt_task {
	struct list link; /* in its priority's list, from enqueue to dequeue, running or not */
	u32 priority;
	u64 quantum;	   /* RR: a whole one */
	u64 quantum_left;  /* RR */
	struct list *list; /* of its priority, */
	u64 bit;	   /* and its bit */
};

struct fair_task {
	struct rb_node node; /* key: virtual deadline. In the tree while queued and not running */
	u64 vruntime;	     /* virtual time that it had: ticks << FAIR_VIRTUAL_SHIFT / weight */
	u64 vruntime_min;    /* the least in the subtree of node: the tree's summary */
	i64 lag; /* while not queued: what it was owed when it left, ticks << FAIR_VIRTUAL_SHIFT */
	u32 weight;
	u32 rest;  /* of the last division by weight, in the same unit as lag */
	u64 slice; /* ticks of one request */
	u64 used;  /* ticks of this request that it had */
};

/* A budget that comes again: of a DEADLINE task always, of a FIFO or RR task if it wants one. */
struct budget {
	u64 runtime;		    /* each period; what the mode grants. 0: none */
	u64 deadline, period;	    /* relative */
	i64 left;		    /* may be below 0 by what a tick is late */
	u64 until;		    /* absolute deadline of the server: what EDF sorts by */
	struct callout refill;	    /* armed while held: HOLD_BUDGET */
	u64 runtime_lo, runtime_hi; /* with a criticality */
};

/* Releases and ends of jobs: of tasks with a period. */
struct jobs {
	u64 release, deadline;		       /* of this job, absolute */
	u64 done, misses, overruns, throttles; /* counts */
};

/* What the watchdog saw of a task: how long it had run, and since when that is all. */
struct watch {
	u64 ran, since; /* ticks */
	bool told;
};

/* Bits of task.special. None: a switch to or from the task is the shortest there is. */
enum {
	SPECIAL_METERED = 1, /* it has a charge: its class's, a budget, a domain */
	SPECIAL_WOKEN = 2,   /* it did not run since it became ready */
	SPECIAL_SPACE = 4,   /* it serves a program */
};

#define URGENCY(rank, priority) ((u32)(rank) << 8 | (priority))

struct task {
	struct context context;		 /* while it does not run */
	const struct sched_class *class; /* q */
	u32 held;			 /* q: enum sched_hold bits */
	enum task_state state;		 /* q */
	struct runqueue *rq;		 /* q */
	u32 special;			 /* q: SPECIAL bits: what a switch has to care about */
	u32 urgency; /* q: of class and priority: the higher runs, equals are their class's affair */
	bool permit;		       /* q: an unpark that nobody took yet */
	bool parked;		       /* q: blocked in task_park, which an unpark ends */
	bool killed;		       /* q */
	bool kill_anywhere, essential; /* c */
	bool detached;		       /* q */
	u64 woken;		       /* q: cycles when it became ready; with SPECIAL_WOKEN */
	u64 run_ticks;		       /* q: time it had the hart */

	struct watch watch; /* the watchdog's */

	struct rt_task rt;
	struct fair_task fair;
	struct rb_node edf; /* q: key is budget.until; in the tree while queued, running or not */
	struct budget budget;
	struct jobs jobs;
	struct list mode_link;	     /* q: LO tasks of the hart */
	struct sched_domain *domain; /* q */
	struct list domain_link;     /* q */

	struct sched_params params; /* q: as they were set */
	struct callout sleep;	    /* wakes it */

	uptr stack;		 /* c: lowest usable address; its guard page is below */
	void *stack_block;	 /* c: NULL: not ours to free */
	struct addrspace *space; /* itself: the program that it serves; NULL: none */

	struct rb_node by_id;	/* t: in `tasks`; the key is id */
	struct list reap;	/* t: detached and dead: whose memory somebody should give back */
	u32 id;			/* c */
	u8 name[TASK_NAME_MAX]; /* c */
	u32 name_len;
	u64 (*entry)(void *arg); /* c */
	void *arg;
	u64 result;	     /* q: once dead */
	struct task *joiner; /* q */
};

/* ---- A hart's queues (all q) ---- */

struct rt_queue {
	u64 ready; /* bit CONFIG_SCHED_NPRIO - 1 - p: list p is not empty: the lowest bit is the most urgent */
	struct list lists[CONFIG_SCHED_NPRIO];
};

struct fair_queue {
	struct rb_tree tree; /* queued, not running; by virtual deadline, summary: least vruntime */
	struct task *current; /* the running one, if it is queued and of this class */
	u64 zero;	      /* reference for the sums, keeps them small */
	i64 weighted; /* sum of (vruntime - zero) * weight of all queued, the running included */
	u64 weight;   /* sum of their weights */
	u64 charged; /* ticks up to which current was charged, when that is later than rq->charged */
	u32 count;
};

struct dl_queue {
	struct rb_tree tree; /* by budget.until; queued, the running included */
};

struct mode {
	enum sched_criticality now; /* CRIT_LO or CRIT_HI */
	struct list lo_tasks;	    /* members that can be held */
	u32 lo_count;
	u32 hi_ready; /* HI tasks that are queued */
	u64 changes;
	struct callout rest; /* goes on holding or releasing LO tasks */
};

struct runqueue {
	struct spinlock lock;
	struct task *current;
	struct task *
		best; /* the most urgent that is queued; NULL: not known, a switch is due and will look */
	struct task *idle;
	u64 charged;	    /* ticks up to which the running task was charged */
	u64 expires;	    /* when the running task must be looked at again */
	u64 quantum, slice; /* of SCHED_RR, unless a task has its own; of SCHED_OTHER; const */
	u32 hart;
	struct pcpu *cpu; /* the same */
	struct rt_queue rt;
	struct dl_queue dl;
	struct fair_queue fair;
	struct mode mode;
	u64 switches, timer_writes, timer_interrupts;
};

/* ---- The core: sched.c. Lock held where the name says so ---- */

/* The hart's own. */
struct runqueue *runqueue_of(u32 hart);
void runqueue_init(struct runqueue *rq, u32 hart);

/* A bit more, or one less, that keeps a task from its queue. Any state of the task. */
void sched_hold_locked(struct runqueue *rq, struct task *task, u32 why, u64 now);
void sched_release_locked(struct runqueue *rq, struct task *task, u32 why, u64 now);

/* The running task should be replaced by a better one. */
void sched_want_locked(struct runqueue *rq);

/* Charges the running task up to `now`. */
void sched_charge_locked(struct runqueue *rq, u64 now);

/* RUNNABLE becomes the state of a task that was not, and back. */
void sched_wake_locked(struct runqueue *rq, struct task *task, u64 now);

/* The hart goes to the best that is queued; comes back when the caller is that again. */
void schedule_locked(struct runqueue *rq);
/* The running task waits (why: extra of TRACE_BLOCK); then the same. */
void sched_block_locked(struct runqueue *rq, u32 why);

/* From the timer interrupt: rq->expires has come. */
void sched_expired(struct runqueue *rq, u64 now);

/* This hart begins to have a queue; then these two are tasks, and `running` is what runs now. */
void sched_begin(struct task *idle, struct task *running);
void sched_adopt(struct task *idle, struct task *running);

/* The whole invariant, debug builds: panics. */
void sched_check_locked(const struct runqueue *rq);

/* ---- Fixed priorities: rt.c, and the holes rt_pick.c, rt_quantum.c ---- */

/* The first of the most urgent list; NULL: all are empty. */
struct task *rt_pick(const struct rt_queue *rt);
/* The running RR task had the hart for `ticks` more: at the end of its quantum it goes behind the others of its priority. */
void rt_quantum(struct runqueue *rq, struct task *task, u64 ticks);
void rt_queue_init(struct rt_queue *rt);
void rt_set_priority(struct rt_queue *rt, struct task *task,
		     u32 priority); /* of one that is not queued */
bool rt_is_alone(const struct rt_queue *rt,
		 const struct task *task); /* of a queued task, at its priority */
void rt_move_back(struct rt_queue *rt, struct task *task);

/* ---- Fair: fair.c, and the hole fair_pick.c ---- */

#define FAIR_SHIFT 10	      /* weight of nice 0 is 1 << FAIR_SHIFT */
#define FAIR_VIRTUAL_SHIFT 20 /* one tick at weight 1, in virtual time */

/*
 * The queued task (the running one included) with the earliest virtual deadline of those that are eligible: whose vruntime is at
 * most the weighted average. NULL: none is queued.
 */
struct task *fair_pick(const struct fair_queue *fair);
/* Whether `vruntime` is at or before the weighted average of all queued. Exact: no division. */
bool fair_is_eligible(const struct fair_queue *fair, u64 vruntime);
void fair_queue_init(struct fair_queue *fair);
u32 fair_weight(i32 nice);
void fair_check(const struct runqueue *rq);

/* ---- Deadlines: dl.c, budget.c, and the holes dl_admit.c, dl_replenish.c ---- */

static inline struct task *dl_pick(const struct dl_queue *dl)
{
	struct rb_node *first = rb_first(&dl->tree);

	return first ? container_of(first, struct task, edf) : NULL;
}

void dl_queue_init(struct dl_queue *dl);

/* One reservation as admission sees it; of a HI task the HI runtime. */
struct dl_demand {
	u64 runtime_ns, deadline_ns, period_ns;
};

/*
 * Whether `count` reservations can be kept together on one hart, which gives them CONFIG_SCHED_DL_UTIL_THRESHOLD per cent. ERR_BUSY: no. The
 * demands themselves make sense (0 < runtime <= deadline <= period). Bounded, see dl_admit.c. Changes nothing.
 */
enum error __must_check dl_admit(const struct dl_demand *demands, size_t count);

/* The budget is used up, and its deadline has come: full again, for the next period. */
void dl_replenish(struct budget *budget, u64 now);
/* The task woke up: the budget and deadline it had, if they are still fair to the others, or new ones. */
void dl_wake(struct budget *budget, u64 now);

/* Charge, expiry and refill of a budget of any class. budget.c */
void budget_init(struct budget *budget);
void budget_charge(struct runqueue *rq, struct task *task, u64 ticks, u64 now);
u64 budget_expires(const struct task *task, u64 now);

/* ---- Domains (domain.c) and modes (mixed.c) ---- */

void domain_charge(struct runqueue *rq, struct task *task, u64 ticks, u64 now);
u64 domain_expires(const struct task *task, u64 now);
/* ERR_NOSPC: full. */
enum error __must_check domain_join_locked(struct sched_domain *domain, struct task *task, u64 now);
void domain_leave_locked(struct task *task, u64 now);

/* What mixed.c does for tasks with a criticality. Without CONFIG_MIXED_CRIT there are none, and none of it is linked. */
void mode_start(struct mode *mode);
bool mode_grant(struct runqueue *rq, struct task *task, u64 now);
void mode_hi_queued(struct runqueue *rq, struct task *task);
void mode_hi_dequeued(struct runqueue *rq, u64 now);
void mode_lo_joins(struct runqueue *rq, struct task *task, u64 now);
void mode_lo_leaves(struct runqueue *rq, struct task *task, u64 now);

static inline bool task_is_critical(const struct task *task, enum sched_criticality criticality)
{
	return IS_ENABLED(CONFIG_MIXED_CRIT) && unlikely(task->params.criticality == criticality);
}

static inline void mode_init(struct mode *mode)
{
	if (IS_ENABLED(CONFIG_MIXED_CRIT))
		mode_start(mode);
}

/* Whether a task may become one of this criticality. Under admission_lock the answer stays true. */
static inline bool mode_has_room(const struct runqueue *rq, const struct task *task,
				 enum sched_criticality criticality)
{
	return criticality != CRIT_LO || task_is_critical(task, CRIT_LO) ||
	       rq->mode.lo_count < CONFIG_MIXED_CRIT_LO_TASKS;
}

/* A task has used up its budget. True: it is a HI task that goes on with its HI budget. */
static inline bool mode_escalate(struct runqueue *rq, struct task *task, u64 now)
{
	return task_is_critical(task, CRIT_HI) && mode_grant(rq, task, now);
}

/* A task begins (after dl_wake) or ends to be queued. */
static inline void mode_queued(struct runqueue *rq, struct task *task, u64 now)
{
	(void)now;
	if (task_is_critical(task, CRIT_HI))
		mode_hi_queued(rq, task);
}

static inline void mode_dequeued(struct runqueue *rq, struct task *task, u64 now)
{
	if (task_is_critical(task, CRIT_HI))
		mode_hi_dequeued(rq, now);
}

/* A task comes or goes; one without a criticality is ignored. It is held (HOLD_CHANGE) or new. */
static inline void mode_join_locked(struct runqueue *rq, struct task *task, u64 now)
{
	if (task_is_critical(task, CRIT_LO))
		mode_lo_joins(rq, task, now);
}

static inline void mode_leave_locked(struct runqueue *rq, struct task *task, u64 now)
{
	if (task_is_critical(task, CRIT_LO))
		mode_lo_leaves(rq, task, now);
}

/* ---- Parameters: sched_params.c ---- */

/* Gives a new task its parameters and lets it run. On an error nothing has happened. */
enum error __must_check sched_start(struct task *task, const struct sched_params *params,
				    struct sched_domain *domain);

/* The task is DEAD from now on and in no queue, group or timer. It is the running one. */
void sched_leave_locked(struct runqueue *rq, struct task *task, u64 now);

/* ---- Reservations: admission.c ---- */

extern struct spinlock admission_lock;

/*
 * Whether there is room for what `params` ask for in place of what the task has. ERR_BUSY: there is none. Drops the lock
 * and takes it again; what it says is true from its return on as long as the lock is held.
 */
enum error __must_check admission_test_locked(const struct task *task,
					      const struct sched_params *params);
/*
 * Reserves it, or ends the reservation where the parameters have none. What a task gives up stays taken until
 * the deadline `until` of what it used of it.
 */
void admission_commit_locked(struct task *task, const struct sched_params *params);
/* The task reserves nothing any more. */
void admission_end_locked(struct task *task);
/* What is reserved on a hart, in 2^-20. */
u64 admission_bandwidth(u32 hart);

/* The longest budget that parameters may ever mean: HI's of a HI task. */
u64 params_runtime_max(const struct sched_params *params);

/* ---- Waiting: sleep.c ---- */

void sleep_over(struct callout *callout);

/* ---- All tasks: task.c ---- */

extern struct spinlock tasks_lock;
extern struct rb_tree tasks; /* tasks_lock; by id */

/* The task with the smallest id above `after`; NULL: no more. */
struct task *task_after_locked(u32 after);

#endif
