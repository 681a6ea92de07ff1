/*
 * What a second hart is worth: `wall` on the kernel's command line, instead of the prompt.
 *
 * The same work on 1, 2 and 4 harts at once, a task on each, for a fifth of a second of real time; five times, and the
 * best counts, because the host has other things to do. It prints, one line each,
 *
 *	wall NAME harts N per second P waits W
 *
 * where P counts operations and W is how often a hart had to wait for a lock in the best run. Harts that are threads of
 * the host are what is measured here, so no figure decides anything: tools/bench-smp makes a table of them.
 */
#include <mazu/bench.h>
#include <mazu/bootargs.h>
#include <mazu/console.h>
#include <mazu/init.h>
#include <mazu/kmalloc.h>
#include <mazu/mem.h>
#include <mazu/page.h>
#include <mazu/power.h>
#include <mazu/sched.h>
#include <mazu/smp.h>
#include <mazu/task.h>
#include <mazu/time.h>

#define RUNS 5
#define RUN_NS (200 * NS_PER_MS)
#define BATCH 64U /* operations between two looks whether it is over */
#define HARTS_MAX 4U
#define TASKS_MAX (2 * HARTS_MAX)

struct work {
	struct str name;
	u32 each; /* tasks on a hart */
	void (*batch)(u32 self);
};

struct score {
	u64 per_second;
	u64 waits;
};

static struct {
	const struct work *work;
	struct task *tasks[TASKS_MAX];
	u64 operations[TASKS_MAX]; /* each its task's, until it is gone */
	u64 sink[TASKS_MAX];	   /* where results that nobody wants go */
	u32 count;
	bool open, over; /* atomic */
	u32 gone;	 /* atomic: tasks that wake nobody any more */
} crew;

static bool is_over(void)
{
	return atomic_load_relaxed(&crew.over);
}

/* ---- The work: BATCH operations ---- */

static void compute(u32 self)
{
	u64 x = self;

	for (u32 i = 0; i < BATCH * 16; i++)
		x = x * 6364136223846793005UL + 1442695040888963407UL;
	WRITE_ONCE(crew.sink[self], x);
}

static void page_pairs(u32 self)
{
	(void)self;
	for (u32 i = 0; i < BATCH; i++) {
		struct result_ptr page = page_alloc(0, PAGE_TEST);

		if (!page.err)
			page_free(page.value, 0);
	}
}

/* More at once than a hart keeps at hand: half of them take the lock. */
static void page_batches(u32 self)
{
	struct result_ptr pages[BATCH];

	(void)self;
	for (u32 i = 0; i < BATCH; i++)
		pages[i] = page_alloc(0, PAGE_TEST);
	for (u32 i = 0; i < BATCH; i++)
		if (!pages[i].err)
			page_free(pages[i].value, 0);
}

static void kmalloc_pairs(u32 self)
{
	(void)self;
	for (u32 i = 0; i < BATCH; i++) {
		struct result_ptr object = kmalloc(64);

		if (!object.err)
			kfree(object.value, 64);
	}
}

/* Two tasks of one hart: each wakes the other, and waits for it. */
static void wake_sleep(u32 self)
{
	for (u32 i = 0; i < BATCH && !is_over(); i++) {
		task_unpark(crew.tasks[self ^ 1]);
		if (task_park())
			return;
	}
}

static const struct work works[] = {
	{ STR("compute"), 1, compute },		  { STR("page_pairs"), 1, page_pairs },
	{ STR("page_batches"), 1, page_batches }, { STR("kmalloc_pairs"), 1, kmalloc_pairs },
	{ STR("wake_sleep"), 2, wake_sleep },
};

/* ---- One run ---- */

static u64 run(void *arg)
{
	u32 self = (u32)(uptr)arg;

	while (!atomic_load_acquire(&crew.open))
		task_yield();
	for (; !is_over(); crew.operations[self] += BATCH)
		crew.work->batch(self);
	if (crew.work->each > 1)
		task_unpark(crew.tasks[self ^ 1]);
	atomic_add_release(&crew.gone, 1);
	return 0;
}

static u64 waits(void)
{
	u64 sum = 0;

	for_each_hart(hart, harts_online()) sum += atomic_load_relaxed(&pcpus[hart].lock_waits);
	return sum;
}

/* False: there is no memory for all of them. */
static bool crew_make(const struct work *work, u32 harts)
{
	memset(&crew, 0, sizeof(crew));
	crew.work = work;
	for (; crew.count < harts * work->each; crew.count++) {
		struct task_attributes attributes = {
			.name = work->name,
			.params = { .policy = SCHED_FIFO, .priority = 5 },
			.affinity = hart_bit(crew.count / work->each),
		};
		struct result_task task = task_create(&attributes, run, (void *)(uptr)crew.count);

		if (task.err)
			return false;
		crew.tasks[crew.count] = task.value;
	}
	return true;
}

/* A task is there to be woken until it is joined, so nobody is before all are gone. Operations of all. */
static u64 crew_end(void)
{
	u64 sum = 0;

	atomic_store_relaxed(&crew.over, true);
	atomic_store_release(&crew.open, true);
	while (atomic_load_acquire(&crew.gone) < crew.count)
		if (task_sleep(NS_PER_MS))
			break;
	for (u32 i = 0; i < crew.count; i++) {
		if (task_join(crew.tasks[i]).err)
			console_printf("wall: a task is not to be joined\n");
		sum += crew.operations[i];
	}
	return sum;
}

static struct score score_of(const struct work *work, u32 harts)
{
	bool made = crew_make(work, harts);
	u64 waits_before = waits(), since = time_now_ns(), ns;
	enum error err;

	atomic_store_release(&crew.open, true);
	err = made ? task_sleep(RUN_NS) : ERR_NOMEM;
	ns = time_now_ns() - since;

	struct score score = { .waits = waits() - waits_before };

	score.per_second = crew_end() * NS_PER_MS / (ns / 1000 + 1);
	return err ? (struct score){ 0 } : score;
}

static void report(const struct work *work, u32 harts)
{
	struct score best = { 0 };

	for (u32 i = 0; i < RUNS; i++) {
		struct score score = score_of(work, harts);

		if (score.per_second > best.per_second)
			best = score;
	}
	console_printf("wall %.*s harts %u per second %lu waits %lu\n", STR_ARG(work->name), harts,
		       best.per_second, best.waits);
}

static bool has_harts(u32 count)
{
	return !(~harts_online() & ((1UL << count) - 1));
}

static void wall_at_boot(void)
{
	struct sched_params urgent = { .policy = SCHED_FIFO, .priority = BENCH_PRIORITY };

	if (bootargs_find(STR("wall")).err)
		return;
	if (sched_set(task_current(), &urgent))
		console_printf("wall: not urgent\n");
	for (u32 i = 0; i < ARRAY_SIZE(works); i++)
		for (u32 harts = 1; harts <= HARTS_MAX && has_harts(harts); harts *= 2)
			report(&works[i], harts);
	power_off(0);
}
INIT_HOOK(LATE, wall_at_boot);
