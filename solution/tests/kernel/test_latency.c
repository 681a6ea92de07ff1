/*
 * How long somebody waited: the bins, and that each of the three waits is noticed.
 */
#include <arch/cpu.h>
#include <mazu/callout.h>
#include <mazu/latency.h>
#include <mazu/preempt.h>
#include <mazu/selftest.h>
#include <mazu/spinlock.h>
#include <mazu/task.h>
#include <mazu/time.h>

#define LONG 100000 /* cycles */

static struct latency_histogram read(enum latency_kind kind)
{
	struct latency latency = { 0 };

	return latency_read(this_cpu()->index, &latency) ? (struct latency_histogram){ 0 }
							 : latency.kinds[kind];
}

/* The bin that a wait of so many cycles is counted in. */
static u32 bin_of(u64 cycles)
{
	struct latency_histogram histogram = { 0 };
	u32 bin = 0;

	latency_record_long(&histogram, cycles);
	while (bin < LATENCY_BINS && !histogram.bins[bin])
		bin++;
	return histogram.max == cycles ? bin : LATENCY_BINS;
}

SELFTEST(latency_bins, "bin n ends where 512 cycles have doubled n times; the last has no end")
{
	for (u32 bin = 1; bin < LATENCY_BINS - 1; bin++) {
		u64 end = 1UL << (LATENCY_BIN_SHIFT + bin);

		CHECK_EQ(t, bin_of(end / 2), bin);
		CHECK_EQ(t, bin_of(end - 1), bin);
		CHECK_EQ(t, bin_of(end), bin + 1);
	}
	CHECK_EQ(t, bin_of(UINT64_MAX), LATENCY_BINS - 1);
}

SELFTEST(latency_max, "the longest stays the longest")
{
	struct latency_histogram histogram = { 0 };

	latency_record_long(&histogram, 9000);
	latency_record_long(&histogram, 1000);
	CHECK_EQ(t, histogram.max, 9000);
}

SELFTEST(latency_no_hart, "a hart that is not there has no figures")
{
	struct latency latency;

	CHECK_EQ(t, latency_read(CONFIG_CPU_MAX, &latency), ERR_RANGE);
}

static void spin(u64 cycles)
{
	for (u64 start = arch_cycles(); arch_cycles() - start < cycles;)
		;
}

SELFTEST(latency_of_irq_off,
	 "a lock that is held long with interrupts off is noticed; reset forgets it")
{
	struct spinlock lock = SPINLOCK_INIT(LOCK_KLOG);
	bool irqs;

	latency_reset();
	irqs = spin_lock_irqsave(&lock);
	spin(LONG);
	spin_unlock_irqrestore(&lock, irqs);
	CHECK(t, read(LATENCY_IRQ_OFF).max >= LONG);
	latency_reset();
	CHECK_TIMED(t, read(LATENCY_IRQ_OFF).max < LONG);
}

SELFTEST(latency_of_preempt_off, "so is a section without preemption, from its outermost beginning")
{
	latency_reset();
	preempt_disable();
	spin(LONG);
	preempt_disable();
	preempt_enable();
	CHECK_TIMED(t, read(LATENCY_PREEMPT_OFF).max < LONG);
	preempt_enable();
	CHECK(t, read(LATENCY_PREEMPT_OFF).max >= LONG);
}

static u64 run_nothing(void *unused)
{
	(void)unused;
	return 0;
}

SELFTEST(latency_of_waking, "so is a task that is ready and does not get the hart")
{
	struct task_attributes attributes = {
		.name = STR("waits"),
		.params = { .policy = SCHED_OTHER },
	};
	struct result_task task;

	latency_reset();
	task = task_create(&attributes, run_nothing, NULL);
	spin(LONG);
	REQUIRE(t, !task.err);
	CHECK(t, !task_join(task.value).err);
	CHECK(t, read(LATENCY_WAKE_TO_RUN).max >= LONG);
}

static volatile u32 enough; /* a bool is read once only: GCC 12, -fsanitize=bool */

static u64 run_until_enough(void *unused)
{
	(void)unused;
	while (!enough)
		;
	return 0;
}

SELFTEST(latency_not_of_losing,
	 "a task that lost the hart was not woken: how long that takes is not counted")
{
	static const struct sched_params above = { .policy = SCHED_FIFO, .priority = 9 };
	struct task_attributes attributes = {
		.name = STR("loses"),
		.params = { .policy = SCHED_FIFO, .priority = 5 },
		.kill_anywhere = true,
	};
	struct sched_params before;
	struct result_task task;

	sched_get(task_current(), &before);
	REQUIRE(t, !sched_set(task_current(), &above));
	enough = 0;
	task = task_create(&attributes, run_until_enough, NULL);
	CHECK(t, !task_sleep(NS_PER_MS));
	spin(4 * LONG);
	latency_reset();
	enough = 1;
	CHECK(t, !sched_set(task_current(), &before)); /* here the other goes on, and ends */
	if (!task.err)
		CHECK(t, !task_join(task.value).err);
	CHECK_TIMED(t, read(LATENCY_WAKE_TO_RUN).max < LONG);
}

static void unpark_waiter(struct callout *callout);

static struct {
	struct callout callout;
	struct task *task;
} waker = { .callout = { .run = unpark_waiter } };

static void unpark_waiter(struct callout *callout)
{
	(void)callout;
	task_unpark(waker.task);
}

/* Its wake-up comes at another instruction each time, also while it is about to wait. */
static u64 run_parks_briefly(void *unused)
{
	(void)unused;
	waker.task = task_current();
	for (u32 i = 0; i < 500; i++) {
		callout_arm(&waker.callout, time_ticks() + 20);
		spin(5 * i);
		if (task_park())
			return 1;
		spin(2000);
	}
	return 0;
}

SELFTEST(latency_ends_when_running, "who is woken on the way to sleep, and goes on, does not wait")
{
	struct task_attributes attributes = {
		.name = STR("parks"),
		.params = { .policy = SCHED_RR, .priority = 9 },
	};
	struct result_task task;

	latency_reset();
	task = task_create(&attributes, run_parks_briefly, NULL);
	REQUIRE(t, !task.err);
	CHECK_EQ(t, task_join(task.value).value, 0);
	CHECK_TIMED(t, read(LATENCY_WAKE_TO_RUN).max < LONG);
}
