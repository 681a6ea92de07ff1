/*
 * sched.h - who runs: policies and their parameters.
 *
 * Four policies in three classes; a task of a higher class always runs before one of a lower:
 *
 *	SCHED_DEADLINE	earliest deadline first; each task within its own budget, a constant-bandwidth
 *			server (Abeni, Buttazzo 1998)
 *	SCHED_FIFO	the highest priority, for as long as it wants
 *	SCHED_RR	the same, but those of one priority take turns of a quantum
 *	SCHED_OTHER	fair shares by weight: EEVDF (Stoica, Abdel-Wahab 1995)
 *
 * A larger number is a higher priority, 0..CONFIG_SCHED_NPRIO - 1.
 *
 * Budgets are enforced by the timer also when nobody else wants the hart. Each hart has its
 * own run queue; kernel/sched/ knows its inside (runqueue.h).
 */
#ifndef MAZU_SCHED_H
#define MAZU_SCHED_H

#include <mazu/config.h>
#include <mazu/error.h>
#include <mazu/str.h>
#include <mazu/types.h>

struct runqueue;
struct task;
struct sched_domain;

/* Numbers as in Linux: sched_setscheduler of a later stage hands them through. */
enum sched_policy { SCHED_OTHER = 0, SCHED_FIFO = 1, SCHED_RR = 2, SCHED_DEADLINE = 6 };

/*
 * How much is at stake. A task without a criticality takes no part: it is never held back by the mode. In mode
 * LO all run; when a HI task needs more than its LO budget, the mode becomes HI and LO tasks
 * are held until no HI task wants the hart (Baruah, Burns, Davis 2011: adaptive mixed criticality).
 */
enum sched_criticality { CRIT_NONE, CRIT_LO, CRIT_HI };

/*
 * Using a budget up and getting it back costs some two thousand instructions, a turn of SCHED_RR several hundred.
 * Who asked for either every few microseconds would get nothing else done, and leave nothing to others.
 */
#define SCHED_RUNTIME_MIN_NS 1000UL
#define SCHED_PERIOD_MIN_NS 100000UL	/* of a budget */
#define SCHED_PERIOD_MAX_NS (1UL << 42) /* products of two fit in 128 bits, in ticks too */
#define SCHED_QUANTUM_MIN_NS 10000UL

struct sched_params {
	enum sched_policy policy;
	u32 priority;	/* FIFO, RR */
	i32 nice;	/* OTHER: -20 (most) .. 19 (least) */
	u64 quantum_ns; /* RR: 0 is CONFIG_SCHED_QUANTUM_US */

	/*
	 * DEADLINE: 0 < runtime <= deadline <= period; deadline 0 is the period.
	 * FIFO, RR: period 0: no periods. Else the task has jobs (task_next_period) and, when
	 * runtime is not 0, a budget as that of DEADLINE, which promises nothing here: who has used it up
	 * is held until the budget's deadline, and then has a new one. A budget's deadline counts from the moment at
	 * which the task became ready and got it, which is the release if it waited for that.
	 */
	u64 runtime_ns, deadline_ns, period_ns;
	u64 first_ns; /* release of the first job, monotonic; 0: now. Only at creation */

	/* With a criticality: runtime is the LO budget. 0: runtime + CONFIG_MIXED_CRIT_HI_PCT per cent. */
	enum sched_criticality criticality;
	u64 runtime_hi_ns;
};

/* Why a task that could run is not in a queue. Bits. */
enum sched_hold {
	HOLD_BUDGET = 1, /* its own is used up, until its deadline */
	HOLD_DOMAIN = 2, /* its domain's is, until the refill */
	HOLD_MODE = 4,	 /* it is LO work, and the mode is HI */
	HOLD_CHANGE = 8, /* for the moment in which its parameters change */
	HOLD_MOVE = 16,	 /* on its way to another hart */
};

/*
 * Gives `task` other parameters, at once and as a whole: on an error it keeps those it has. A task may do
 * this to itself and to others; of a budget it keeps what is left, and the new one counts from the
 * next period. ERR_INVAL: parameters
 * that make no sense; ERR_RANGE: priority or nice; ERR_BUSY: not admitted; ERR_NOSPC:
 * there are too many LO tasks; ERR_NOENT: the task has ended. Task context.
 */
enum error __must_check sched_set(struct task *task, const struct sched_params *params);
void sched_get(const struct task *task, struct sched_params *params);

/* ERR_INVAL, ERR_RANGE as above: whether the parameters make sense at all. */
enum error __must_check sched_params_check(const struct sched_params *params);

struct str sched_policy_name(enum sched_policy policy);

/*
 * The harts that a task may run on: bit n for index n. A new task has its creator's. If it is somewhere else at the
 * moment, it moves: at once when it does not run or is the caller itself, else as soon as its hart hears of it. What
 * is reserved for it is reserved there. ERR_INVAL: none of them is online; ERR_BUSY: not admitted there, or it is
 * a member of a domain or has a criticality, which belong to a hart; ERR_NOENT: the task has ended. Task context.
 */
enum error __must_check sched_set_affinity(struct task *task, u64 harts);
u64 sched_affinity(const struct task *task);

/* ---- Domains: a budget for a group ---- */

RESULT_TYPE(domain, struct sched_domain *);

/*
 * Together the tasks of a domain get at most `budget_ns` of each `period_ns` of their hart. At most
 * CONFIG_SCHED_DOMAIN_TASKS in one. ERR_INVAL: 0 < budget <= period, within the limits above; ERR_NOMEM.
 */
struct result_domain __must_check sched_domain_create(struct str name, u64 budget_ns,
						      u64 period_ns);
/* ERR_BUSY: it has tasks. */
enum error sched_domain_destroy(struct sched_domain *domain);

struct sched_domain_info {
	u32 id, tasks;
	u64 used_ns, exhausted, refills;
};
void sched_domain_info(struct sched_domain *domain, struct sched_domain_info *info);

/* Other harts have sent tasks here. Interrupt. */
void sched_arrive(struct runqueue *rq);

/* ---- Looking: per hart ---- */

struct sched_info {
	u32 queued; /* tasks, the one that runs included */
	u32 load;   /* average of that, in 2^-10 */
	u64 moved;  /* tasks that came from other harts, */
	u64 stolen; /* because this one had nothing to do, */
	u64 pushed; /* or that one too much */
	u64 switches;
	u64 timer_writes, timer_interrupts;
	u64 bandwidth;		     /* admitted, in 2^-20 of the hart */
	enum sched_criticality mode; /* CRIT_LO or CRIT_HI */
	u64 mode_changes;
	u64 idle_ns;
};
enum error __must_check sched_info(u32 hart, struct sched_info *info);

#endif
