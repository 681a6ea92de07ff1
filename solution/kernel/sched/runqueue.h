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
 * Several harts: `task->rq` names the queue that a task belongs to, and the lock of that queue guards the task. Only who
 * holds that lock may write another queue there, and only while the task is neither queued nor the queue's
 * running one; from the store on the task is the other queue's. So nobody ever holds two queues' locks, and whoever
 * wants a task's lock takes the one it names and looks again (task_lock_irqs_off).
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
#include <mazu/smp.h>
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
	SPECIAL_MOVE = 8,    /* it runs where it should not */
};

#define URGENCY(rank, priority) ((u32)(rank) << 8 | (priority))

struct task {
	struct context context;		 /* while it does not run */
	const struct sched_class *class; /* q */
	u32 held;			 /* q: enum sched_hold bits */
	enum task_state state;		 /* q */
	struct runqueue *rq;		 /* q: see above */
	u32 special;			 /* q: SPECIAL bits: what a switch has to care about */
	u32 urgency; /* q: of class and priority: the higher runs, equals are their class's affair */
	bool permit;		       /* q: an unpark that nobody took yet */
	bool parked;		       /* q: blocked in task_park, which an unpark ends */
	bool killed;		       /* q */
	bool kill_anywhere, essential; /* c */
	bool detached;		       /* q */
	bool told;		       /* q: whose end it waits for has ended */
	u64 affinity;		       /* q: harts that it may run on, online or not */
	u32 ties;		       /* q: how many want it to stay where it is for the moment */
	struct runqueue *goes_to;      /* q: with HOLD_MOVE; its hart is one that it may run on */
	u32 reserved_on; /* admission_lock: the hart with its reservation, if it has one */
	u64 wakes_at;	 /* q: raw ticks: its sleep is not over before */
	u64 woken;	 /* q: cycles when it became ready; with SPECIAL_WOKEN */
	u64 run_ticks;	 /* q: time it had the hart */

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
	u64 result;		   /* q: once dead */
	struct task *joiner;	   /* q */
	struct task *arrives_next; /* in runqueue.arrivals */
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
	u32 urgency;	  /* of what runs or is about to; also read without the lock, as a hint */
	struct pcpu *cpu; /* of hart */
	struct rt_queue rt;
	struct dl_queue dl;
	struct fair_queue fair;
	struct mode mode;
	u64 switches, timer_writes, timer_interrupts;

	u32 queued; /* tasks, the running one included; also read without the lock, as a hint */
	u32 load;   /* balance.c: average of that, in BALANCE_ONE; read without the lock */
	struct callout balance; /* armed while more than one is queued */
	struct task
		*arrivals; /* atomic: a stack of tasks that come from other harts, held (move.c) */
	u64 moved, stolen, pushed; /* tasks that came; see sched_info */
} __per_hart;

/* ---- Finding the lock ---- */

/* The task has left `rq`, which is locked. Each turn in vain means that it was moved, which takes longer than a turn. */
struct runqueue *task_lock_moved(const struct task *task, struct runqueue *rq);

/* The queue of `task`, locked. Interrupts off. */
static inline struct runqueue *task_lock_irqs_off(const struct task *task)
{
	struct runqueue *rq = READ_ONCE(task->rq);

	spin_lock_irqs_off(&rq->lock);
	if (!IS_ENABLED(CONFIG_SMP) || likely(atomic_load_acquire(&task->rq) == rq))
		return rq; /* pairs with task_move_locked() */
	return task_lock_moved(task, rq);
}

static inline struct runqueue *task_lock_irqsave(const struct task *task, bool *irqs)
{
	*irqs = spin_irqsave();
	return task_lock_irqs_off(task);
}

/* This hart's. Whoever waits meanwhile may come back on another hart, and releases that one's: rq_unlock_own. */
static inline struct runqueue *rq_lock_own(bool *irqs)
{
	struct runqueue *rq;

	*irqs = spin_irqsave();
	rq = this_cpu()->rq;
	spin_lock_irqs_off(&rq->lock);
	return rq;
}

static inline void rq_unlock_own(bool irqs)
{
	spin_unlock_irqrestore(&this_cpu()->rq->lock, irqs);
}

/* ---- The core: sched.c. Lock held where the name says so ---- */

/* The hart's own. */
struct runqueue *runqueue_of(u32 hart);
void runqueue_init(struct runqueue *rq, u32 hart);
struct runqueue *runqueue_prepare(u32 hart);

/* A bit more, or one less, that keeps a task from its queue. Any state of the task. */
void sched_hold_locked(struct runqueue *rq, struct task *task, u32 why, u64 now);
void sched_release_locked(struct runqueue *rq, struct task *task, u32 why, u64 now);

/* The running task should be replaced by a better one. */
void sched_want_locked(struct runqueue *rq);

/* Charges the running task up to `now`. */
void sched_charge_locked(struct runqueue *rq, u64 now);

/* RUNNABLE becomes the state of a task that was not, and back. */
void sched_wake_locked(struct runqueue *rq, struct task *task, u64 now);

/*
 * The same, and where the task should run on another hart, there. Returns the queue that it is in then, which is locked
 * in place of `rq`. If it was moved, somebody else may have been the one to wake it.
 */
struct runqueue *sched_wake_placed_locked(struct runqueue *rq, struct task *task);

/* The hart goes to the best that is queued; comes back when the caller is that again. */
void schedule_locked(struct runqueue *rq);
/* The running task waits (why: extra of TRACE_BLOCK); then the same. */
void sched_block_locked(struct runqueue *rq, u32 why);

/* From the timer interrupt: rq->expires has come. */
void sched_expired(struct runqueue *rq, u64 now);

/* This hart begins to have a queue, and `running` is what runs now; then that is a task. */
void sched_begin(struct task *idle, struct task *running);
void sched_adopt(struct task *running);

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
/* Its hart's. */
struct runqueue *domain_queue(const struct sched_domain *domain);

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

u32 params_urgency(const struct sched_params *params);
/* The task, which is in no queue, has these from now on. */
void params_commit_locked(struct task *task, const struct sched_params *params);

/*
 * Gives a new task its parameters and a hart, and lets it run. ERR_INVAL: its domain's hart is not one of its own; ERR_BUSY,
 * ERR_NOSPC: as task_create(). On an error nothing has happened. change.c
 */
enum error __must_check sched_start(struct task *task, const struct sched_params *params,
				    struct sched_domain *domain);

/* The task is DEAD from now on and in no queue, group or timer. It is the running one. */
void sched_leave_locked(struct runqueue *rq, struct task *task, u64 now);

/* ---- Reservations: admission.c ---- */

extern struct spinlock admission_lock;

/*
 * The first of `harts` with room for what `params` ask for in place of what the task has: its own, then in the order of how
 * little is reserved there; for a new one that order only. ERR_BUSY: none has. The tests are long: with `open` the lock is
 * dropped meanwhile, and ERR_AGAIN means that somebody else came first. Changes nothing.
 */
enum error __must_check admission_find_locked(const struct task *task,
					      const struct sched_params *params, u64 harts,
					      bool open, u32 *hart);
/*
 * Reserves it there, or nothing where the parameters have no reservation. What a task gives up stays taken until
 * the deadline `until` of what it used of it.
 */
void admission_commit_locked(struct task *task, const struct sched_params *params, u32 hart);
/* The task reserves nothing any more. */
void admission_end_locked(struct task *task);
/* What is reserved on a hart, in 2^-20. */
u64 admission_bandwidth(u32 hart);

/* The longest budget that parameters may ever mean: HI's of a HI task. */
u64 params_runtime_max(const struct sched_params *params);

/* ---- Several harts ---- */

/* Nothing ties the task to its hart but its affinity: no budget, no domain, no criticality; and it is not on its way. */
static inline bool task_is_movable(const struct task *task)
{
	return !task->ties && !task->budget.runtime && !task->domain && !task->params.criticality &&
	       !(task->held & HOLD_MOVE);
}

static inline bool task_may_run_on(const struct task *task, u32 hart)
{
	return task->affinity & hart_bit(hart);
}

/* The task, neither queued nor running, belongs to `to` from now on, and to whoever locks that. place.c */
void task_move_locked(struct task *task, struct runqueue *to);

/* The same from the lock of `rq`, its queue, on; with that of the queue where it is afterwards, mostly `to`. place.c */
struct runqueue *task_move_relock(struct runqueue *rq, struct task *task, struct runqueue *to);

/* Which of `harts` is best for a task that wakes up or is new, by its urgency; a guess. Any context. place.c */
struct runqueue *sched_place(const struct task *task, u64 harts);

/*
 * The task, which may run on `to`, goes there; any state but DEAD, and not on its way already. `rq`, locked, is its queue;
 * afterwards it is unlocked, and the task is there or, if it was running, on its way. Interrupts off. move.c
 */
void sched_move_unlock(struct runqueue *rq, struct task *task, struct runqueue *to);
/* The hart switches away from a task that has to move. Queue locked. */
void sched_depart_locked(struct runqueue *rq, struct task *task);

/* The hole steal.c: a queued task of `rq` that waits and may run on `hart`; NULL: there is none. Queue locked. */
struct task *steal_pick(struct runqueue *rq, u32 hart);
/* This hart has nothing to do: something from another. Idle task. True: it has now. balance.c */
bool sched_steal(struct runqueue *rq);

/* The unit of loads: one task that was queued all the time. */
#define BALANCE_ONE 1024U
#define BALANCE_STEPS 8
#define BALANCE_NOBODY UINT32_MAX

/* The hole balance_pick.c: the average `load`, a BALANCE_STEPS-th of the way nearer to `queued` tasks, what is less than a unit dropped. */
u32 balance_average(u32 load, u32 queued);
/*
 * The hole balance_pick.c: of `harts`, the one with the least of `loads` (by hart; those of others mean nothing), the
 * first of equals, if that is less than `load` by a task and a half or more; else BALANCE_NOBODY.
 */
u32 balance_receiver(const u32 loads[CONFIG_CPU_MAX], u64 harts, u32 load);
void balance_init(struct runqueue *rq);
/* More than one task is queued. Queue locked. */
void balance_begin_locked(struct runqueue *rq);

/* ---- Waiting: sleep.c ---- */

/* `task`, which runs, waits until somebody wakes it, and for no moment. */
static inline void task_wait_locked(struct runqueue *rq, struct task *task, u32 why)
{
	task->wakes_at = UINT64_MAX;
	sched_block_locked(rq, why);
}

void sleep_over(struct callout *callout);

/* ---- All tasks: task.c ---- */

extern struct spinlock tasks_lock;
extern struct rb_tree tasks; /* tasks_lock; by id */

/* The task with the smallest id above `after`; NULL: no more. */
struct task *task_after_locked(u32 after);

#endif
