/*
 * taskset.c - a set of tasks, as the literature writes them down, on the real scheduler.
 *
 * With `taskset` on the kernel command line the boot stops for whoever holds a debugger at taskset_run():
 * they fill the table `taskset`, go on to taskset_done(), and find what happened in the event
 * ring and in `taskset_members`. Without the table filled nothing happens.
 *
 * Time 0 of the set is a whole millisecond, some time after all tasks were made: so the first
 * releases come from the timer, like all others. A job is so many instructions: under QEMU's -icount
 * that is its execution time. It is marked in the ring when it ends (TRACE_MARK), and its
 * task then waits for its next period or for the release that the table says.
 *
 * A storm is a callout that arms itself again and again: interrupts that nobody admitted.
 *
 * The one who runs this is above all fixed priorities and sleeps meanwhile. Left out: more than one hart.
 */
#include <arch/cpu.h>
#include <mazu/board.h>
#include <mazu/bootargs.h>
#include <mazu/init.h>
#include <mazu/printk.h>
#include <mazu/time.h>

#include "../kernel/sched/runqueue.h"

#define TASKS 32
#define JOBS 256
#define DOMAINS 2
#define MEMBERS 128

struct taskset_job {
	u64 release_ns; /* of a task that is not periodic: from time 0 */
	u64 work_ns;
};

struct taskset_task {
	struct sched_params params; /* first_ns counts from time 0 */
	u64 slice_ns;		    /* OTHER: 0 is the usual one */
	u32 periodic;		    /* jobs come with the period, else at their release_ns */
	u32 copies;		    /* tasks like this */
	u32 domain;		    /* 0: none, else its number from 1 */
	u32 jobs;		    /* how many it has */
	u32 first_job, listed_jobs; /* what they are: these of the table, over and over */
};

struct taskset_domain {
	u64 budget_ns, period_ns;
};

static struct {
	u64 horizon_ns; /* 0: nobody filled this */
	u64 lead_ns;	/* time 0 is so far ahead when the tasks are made */
	u64 storm_ns;	/* 0: no storm */
	u32 task_count, domain_count;
	struct taskset_domain domains[DOMAINS];
	struct taskset_task tasks[TASKS];
	struct taskset_job jobs[JOBS];
} taskset;

/* What became of it. */
static struct {
	struct task *task;
	const struct taskset_task *what;
	u64 done;
	u64 late_cycles_max; /* from a later job's periodic release to its first instruction */
	enum error err;
} taskset_members[MEMBERS];

static u32 taskset_member_count;
static u64 taskset_zero_ns, taskset_zero_ticks;

/* ---- A task of the set ---- */

/* So many instructions, give or take five. */
static __attribute__((noinline)) void work(u64 instructions)
{
	u64 turns = instructions / 2;

	if (turns)
		__asm__ volatile("1:	addi	%0, %0, -1\n"
				 "	bnez	%0, 1b"
				 : "+r"(turns));
}

/* Each tick is a whole number of cycles under -icount. */
static u64 late_cycles(u64 release_ticks)
{
	return arch_cycles() - release_ticks * (NS_PER_SECOND / board.timebase_hz);
}

static enum error wait_for(const struct taskset_task *what, const struct taskset_job *job)
{
	enum error err = what->periodic ? task_next_period()
					: task_sleep_until(taskset_zero_ns + job->release_ns);

	return err == ERR_TIMEOUT ? OK : err;
}

/* A job ended here. */
static void mark(u32 job)
{
	bool irqs = arch_irq_save();

	trace(time_ticks(), TRACE_MARK, task_id(task_current()), job);
	arch_irq_restore(irqs);
}

static u64 run_member(void *arg)
{
	u32 number = (u32)(uptr)arg;
	const struct taskset_task *what = taskset_members[number].what;
	u64 period = time_ticks_for(what->params.period_ns);
	u64 release = taskset_zero_ticks + time_ticks_for(what->params.first_ns);
	enum error err = OK;

	for (u32 i = 0; i < what->jobs && !err; i++, release += period) {
		const struct taskset_job *job =
			&taskset.jobs[what->first_job + i % what->listed_jobs];
		u64 late;

		if (i > 0) {
			err = wait_for(what, job);
			late = late_cycles(release);
			taskset_members[number].late_cycles_max =
				MAX(taskset_members[number].late_cycles_max, late);
		}
		work(job->work_ns);
		mark(i);
		taskset_members[number].done++;
	}
	return err;
}

/* ---- The set ---- */

static struct sched_domain *domains[DOMAINS];

static void make_domains(void)
{
	for (u32 i = 0; i < taskset.domain_count; i++) {
		const struct taskset_domain *what = &taskset.domains[i];
		struct result_domain made =
			sched_domain_create(STR("set"), what->budget_ns, what->period_ns);

		if (made.err)
			pr_err("taskset: no domain");
		domains[i] = made.value;
	}
}

/* It sleeps until its first release. */
static void make_member(const struct taskset_task *what)
{
	u32 number = taskset_member_count++;
	struct task_attributes attributes = {
		.name = STR("member"),
		.params = what->params,
		.domain = what->domain ? domains[what->domain - 1] : NULL,
		.kill_anywhere = true,
	};
	struct result_task made;

	attributes.params.first_ns += taskset_zero_ns;
	taskset_members[number].what = what;
	made = task_create(&attributes, run_member, (void *)(uptr)number);
	taskset_members[number].err = made.err;
	if (made.err)
		return;
	taskset_members[number].task = made.value;
	if (what->slice_ns)
		made.value->fair.slice = time_ticks_for(what->slice_ns);
}

static void make_members(void)
{
	for (u32 i = 0; i < taskset.task_count; i++)
		for (u32 k = 0; k < taskset.tasks[i].copies && taskset_member_count < MEMBERS; k++)
			make_member(&taskset.tasks[i]);
}

static void end_members(void)
{
	for (u32 i = 0; i < taskset_member_count; i++) {
		struct task *task = taskset_members[i].task;

		if (!task)
			continue;
		task_kill(task);
		if (task_join(task).err)
			pr_err("taskset: member %u stays", i);
	}
	for (u32 i = 0; i < taskset.domain_count; i++)
		if (domains[i] && sched_domain_destroy(domains[i]))
			pr_err("taskset: domain %u stays", i);
}

/* ---- The storm ---- */

static u64 taskset_storm_late_cycles_max;

static void storm(struct callout *callout)
{
	u64 late = late_cycles(callout->node.key);

	taskset_storm_late_cycles_max = MAX(taskset_storm_late_cycles_max, late);
	callout_arm(callout, callout->node.key + time_ticks_for(taskset.storm_ns));
}

static struct callout storm_callout = { .run = storm };

/* ---- The run ---- */

/* Places for a debugger to stop at. */
void taskset_run(void) __attribute__((noinline));
void taskset_done(void) __attribute__((noinline));

void taskset_done(void)
{
	barrier();
}

static void run(void)
{
	taskset_zero_ns = time_now_ns() + taskset.lead_ns;
	taskset_zero_ns -= taskset_zero_ns % NS_PER_MS;
	taskset_zero_ticks = time_ticks_at(taskset_zero_ns);
	make_domains();
	make_members();
	if (time_ticks() >= taskset_zero_ticks)
		pr_err("taskset: the lead is too short");
	trace_clear();
	if (taskset.storm_ns)
		callout_arm(&storm_callout, taskset_zero_ticks);
	if (task_sleep_until(taskset_zero_ns + taskset.horizon_ns))
		pr_err("taskset: woken early");
	callout_cancel_sync(&storm_callout);
	taskset_done();
	end_members();
}

void taskset_run(void)
{
	static const struct sched_params above = { .policy = SCHED_FIFO,
						   .priority = CONFIG_SCHED_NPRIO - 1 };
	struct sched_params before;

	if (!READ_ONCE(taskset.horizon_ns))
		return;
	sched_get(task_current(), &before);
	if (sched_set(task_current(), &above))
		pr_err("taskset: not above all");
	run();
	if (sched_set(task_current(), &before))
		pr_err("taskset: still above all");
}

static void taskset_at_boot(void)
{
	if (!bootargs_find(STR("taskset")).err)
		taskset_run();
}
INIT_HOOK(LATE, taskset_at_boot);
