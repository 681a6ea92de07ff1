/*
 * The watchdog: who waits too long is reported, once for each time.
 *
 * The limit is made short. Whoever runs this keeps the hart, so an ordinary task waits.
 */
#include <arch/cpu.h>
#include <mazu/klog.h>
#include <mazu/pcpu.h>
#include <mazu/selftest.h>
#include <mazu/task.h>
#include <mazu/time.h>
#include <mazu/watchdog.h>

#define LIMIT_MS 20

static volatile bool stop;

static u64 victim_main(void *unused)
{
	(void)unused;
	while (!stop)
		task_yield();
	return 0;
}

/* Nobody less urgent runs meanwhile; the watchdog's own callouts end the waiting. */
static void keep_the_hart(u64 ms)
{
	u64 end = time_ticks() + time_ticks_for(ms * NS_PER_MS);

	while (time_ticks() < end) {
		bool irqs = arch_irq_save();

		arch_wait_for_interrupt();
		arch_irq_restore(irqs);
	}
}

/* Lines of the log from `cursor` on that name the victim. */
static u32 lines_about_victim(struct klog_cursor *cursor)
{
	u8 text[PRINTK_LINE_MAX] __attribute__((aligned(8)));
	struct byte_buf buf = BYTE_BUF(text);
	struct klog_line line;
	u32 found = 0;

	for (; klog_next(cursor, &line, &buf) == OK; buf.len = 0)
		found += str_starts_with(line.text, STR("watchdog: ")) &&
			 str_matches(STR("*(victim, other)*"), line.text);
	return found;
}

static void watch_victim(struct selftest *t, struct klog_cursor *cursor)
{
	u64 before = watchdog_reports();

	keep_the_hart(3 * LIMIT_MS);
	CHECK_EQ(t, lines_about_victim(cursor), 1);
	keep_the_hart(3 * LIMIT_MS);
	CHECK_EQ(t, lines_about_victim(cursor), 0);
	CHECK(t, watchdog_reports() > before);
	task_sleep(10 * NS_PER_MS); /* it runs */
	keep_the_hart(4 * LIMIT_MS);
	CHECK_EQ(t, lines_about_victim(cursor), 1);
}

SELFTEST(watchdog_reports,
	 "a task that is ready and gets no turn is reported once, and again after it ran")
{
	struct task_attributes attributes = { .name = STR("victim") };
	struct sched_params kept, urgent = { .policy = SCHED_FIFO };
	struct klog_cursor cursor = { 0 };
	struct result_task victim;

	sched_get(task_current(), &kept);
	REQUIRE(t, sched_set(task_current(), &urgent) == OK);
	stop = false;
	victim = task_create(&attributes, victim_main, NULL);
	if (CHECK_EQ(t, victim.err, OK)) {
		watchdog_set_limit(LIMIT_MS);
		lines_about_victim(&cursor);
		watch_victim(t, &cursor);
		watchdog_set_limit(CONFIG_WATCHDOG_TASK_MS);
		stop = true;
		CHECK_EQ(t, task_join(victim.value).err, OK);
	}
	CHECK_EQ(t, sched_set(task_current(), &kept), OK);
}
