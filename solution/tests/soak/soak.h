/*
 * soak.h - what the parts of the soak test share: soak.c says what it is.
 */
#ifndef MAZU_TESTS_SOAK_H
#define MAZU_TESTS_SOAK_H

#include <mazu/sched.h>
#include <mazu/task.h>

#define SOAK_SLOTS 24
#define SOAK_DOMAINS 3

/* What a task of the test is like. */
enum soak_kind {
	SOAK_MIXED, /* does all that a task may do */
	SOAK_HOG,   /* never waits; it has a small budget */
	SOAK_JOBS,  /* keeps within its budget: it must not miss a deadline, ever */
	SOAK_KINDS,
};

/* A task of the test. */
struct soak_slot {
	struct task *task; /* NULL: none, or detached */
	u32 id;		   /* 0: none */
	enum soak_kind kind;
	u64 random;  /* the task's own */
	u64 result;  /* what it returns, if it was not killed */
	bool killed; /* it may end as it likes */
	bool steady; /* its parameters were never changed */
	u64 born_ns;
	struct sched_params params;
	struct sched_domain *domain;
};

struct soak_domain {
	struct sched_domain *domain; /* NULL: none */
	u64 budget_ns, period_ns, born_ns;
	u32 members;
};

/* The supervisor's. */
extern struct soak_slot soak_slots[SOAK_SLOTS];
extern struct soak_domain soak_domains[SOAK_DOMAINS];

extern u64 soak_dice;
extern struct soak_did {
	u64 tasks, refused, changes, kills;
} soak_did;

/* Deeds. A slot without a task: begins one. */
void soak_begin(struct soak_slot *slot);
void soak_change(struct soak_slot *slot); /* of a task that is not detached */
void soak_kill(struct soak_slot *slot);
/* Of one that was killed, or is over: waits for its end. A detached one goes by itself, later. */
void soak_bury(struct soak_slot *slot);
void soak_domain_change(struct soak_domain *domain);
struct soak_domain *soak_any_domain(void);

/* Whether everybody keeps to what was agreed. */
void soak_check(void);

/* Whether the task of a slot has ended, joined or not. */
bool soak_is_over(const struct soak_slot *slot);

/* What it does; the argument is its slot. */
u64 soak_mixed(void *slot);
u64 soak_hog(void *slot);
u64 soak_jobs(void *slot);

/* Parameters of a task, sometimes such that make no sense. */
struct sched_params soak_params(u64 *random, enum soak_kind kind);

/* From `low` to `high`, both included. */
u64 soak_between(u64 *random, u64 low, u64 high);

/* Has the hart for so long, however often it loses it. */
void soak_work(u64 ns);

/* Ends the machine with status 1. */
void soak_fail(const char *what, u64 a, u64 b) __noreturn;

static inline void soak_expect(bool holds, const char *what, u64 a, u64 b)
{
	if (unlikely(!holds))
		soak_fail(what, a, b);
}

#endif
