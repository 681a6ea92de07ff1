/*
 * What harts tell each other: interrupts, wake-ups, callouts that are cancelled elsewhere, lines of the log.
 *
 * Each storm counts what was sent and what came; in the end the sums are the same. How many interrupts between harts
 * there are is said by ipis=N on the command line.
 */
#include <arch/cpu.h>
#include <mazu/bootargs.h>
#include <mazu/callout.h>
#include <mazu/console.h>
#include <mazu/fmt.h>
#include <mazu/irq.h>
#include <mazu/klog.h>
#include <mazu/mem.h>
#include <mazu/time.h>
#include <mazu/watchdog.h>

#include "storm.h"

#define ROUNDS 200U

/* ---- Interrupts ---- */

#define IPIS 4000UL

static u64 sent, came; /* atomic */

static void note(void *arg)
{
	(void)arg;
	atomic_add_relaxed(&came, 1);
}

/* Any of the others. */
static u64 one_other(u64 dice)
{
	u64 others = harts_other();

	for (u64 skip = dice % (storm_harts() - 1); skip; skip--)
		others &= others - 1;
	return hart_bit(bit_lowest(others));
}

/* One hart at a time, so that each call is an interrupt of its own, or joins one that is on its way. */
static u64 run_shots(void *arg)
{
	u64 state = 1 + this_cpu()->index, count = *(u64 *)arg;

	for (u64 i = 0; i < count; i++) {
		atomic_add_relaxed(&sent, 1);
		smp_call(one_other(storm_dice(&state)), note, NULL);
	}
	return 0;
}

SELFTEST(smp_ipi_storm, "each interrupt that one hart sends to another comes, whoever else sends")
{
	u64 each = bootargs_number(STR("ipis"), IPIS) / storm_harts();

	NEEDS_HARTS(t);
	sent = came = 0;
	storm(t, run_shots, &each);
	CHECK_EQ(t, sent, each * storm_harts());
	CHECK_EQ(t, came, sent);
}

/* ---- Callouts ---- */

#define CALLOUTS 8

static struct shared_callout {
	struct callout callout;
	u64 ran, armed, cancelled; /* atomic */
} shared[CONFIG_CPU_MAX][CALLOUTS];

static void count_run(struct callout *callout)
{
	atomic_add_relaxed(&container_of(callout, struct shared_callout, callout)->ran, 1);
}

static void cancel(struct shared_callout *it)
{
	if (callout_cancel(&it->callout))
		atomic_add_relaxed(&it->cancelled, 1);
}

/* Its own hart's it arms, when nothing is left of the last time; everybody's it cancels. */
static u64 run_callouts(void *arg)
{
	u32 self = this_cpu()->index;
	u64 state = 1 + self;

	(void)arg;
	for (u32 i = 0; i < ROUNDS; i++) {
		struct shared_callout *own = &shared[self][i % CALLOUTS];
		u64 hart = storm_dice(&state) % CONFIG_CPU_MAX;

		if (callout_cancel_sync(&own->callout))
			atomic_add_relaxed(&own->cancelled, 1);
		own->armed++;
		callout_arm(&own->callout, time_ticks() + storm_dice(&state) % 64);
		cancel(&shared[hart][storm_dice(&state) % CALLOUTS]);
	}
	return 0;
}

SELFTEST(smp_callouts, "a callout that other harts cancel either runs or is cancelled, once")
{
	NEEDS_HARTS(t);
	for_each_hart(hart, harts_online()) for (u32 i = 0; i < CALLOUTS; i++)
	{
		shared[hart][i] = (struct shared_callout){ .armed = 0 };
		callout_init(&shared[hart][i].callout, count_run);
	}
	storm(t, run_callouts, NULL);
	for_each_hart(hart, harts_online()) for (u32 i = 0; i < CALLOUTS; i++)
	{
		struct shared_callout *it = &shared[hart][i];

		it->cancelled += callout_cancel_sync(&it->callout);
		CHECK_EQ(t, it->ran + it->cancelled, it->armed);
	}
}

/* ---- Wake-ups: tokens that go round ---- */

#define RUNNERS 12
#define TOKENS 6
#define HOPS (ROUNDS * TOKENS)

static struct runner {
	struct task *task;
	u64 tokens; /* atomic */
} runners[RUNNERS];

static u64 hops; /* atomic */
static u64 gone; /* atomic: runners that hand to nobody any more */

static void hand_to(struct runner *to)
{
	atomic_add_release(&to->tokens, 1);
	task_unpark(to->task);
}

/* What it was handed it hands on, and waits for more. */
static u64 run_round(void *arg)
{
	u64 self = (uptr)arg;

	do {
		u64 tokens = atomic_exchange_acquire(&runners[self].tokens, 0UL);

		atomic_add_relaxed(&hops, tokens);
		for (; tokens; tokens--)
			hand_to(&runners[(self + 1) % RUNNERS]);
	} while (atomic_load_relaxed(&hops) < HOPS && !task_park());
	atomic_add_relaxed(&gone, 1);
	return 0;
}

static bool runners_make(void)
{
	bool all = true;

	memset(runners, 0,
	       sizeof(runners)); /* each begins at once, and there may be tokens of an earlier run */
	for (u32 i = 0; i < RUNNERS; i++) {
		struct result_task task = storm_task(harts_online(), run_round, (void *)(uptr)i);

		runners[i].task = task.err ? NULL : task.value;
		all &= !task.err;
	}
	return all;
}

/* A task is there to be woken until it is joined, so nobody is before all are gone. */
static u64 runners_end(struct selftest *t)
{
	u64 tokens = 0, made = 0;

	for (u32 i = 0; i < RUNNERS; i++) {
		if (!runners[i].task)
			continue;
		made++;
		task_kill(runners[i].task);
	}
	while (atomic_load_relaxed(&gone) < made)
		CHECK(t, !task_sleep(NS_PER_MS));
	for (u32 i = 0; i < RUNNERS; i++) {
		if (runners[i].task)
			CHECK(t, !task_join(runners[i].task).err);
		tokens += runners[i].tokens;
	}
	return tokens;
}

SELFTEST(smp_wakes, "of wake-ups that go round over all harts none is lost")
{
	u64 until_ns = time_now_ns() + 20 * NS_PER_SECOND;

	hops = gone = 0;
	if (runners_make()) {
		for (u32 i = 0; i < TOKENS; i++)
			hand_to(&runners[i * 2]);
		while (atomic_load_relaxed(&hops) < HOPS && time_now_ns() < until_ns)
			if (task_sleep(NS_PER_MS))
				break;
		CHECK(t, atomic_load_relaxed(&hops) >= HOPS);
		CHECK_EQ(t, runners_end(t), TOKENS);
	} else {
		runners_end(t);
	}
}

/* ---- Ends ---- */

static u64 run_waits(void *arg)
{
	(void)arg;
	return task_park();
}

/* Some are joined, some are killed first, some nobody waits for. */
static u64 run_ends(void *arg)
{
	u64 state = 1 + this_cpu()->index, wrong = 0;

	(void)arg;
	for (u32 i = 0; i < ROUNDS / 8; i++) {
		struct result_task task = storm_task(harts_online(), run_waits, NULL);
		u64 what = storm_dice(&state) % 4;

		if (task.err)
			continue;
		if (what)
			task_unpark(task.value);
		if (what == 1)
			wrong += task_detach(task.value) != OK;
		else if (what == 2)
			wrong += task_join(task.value).value != OK;
		if (what == 1 || what == 2)
			continue;
		task_kill(task.value);
		wrong += task_join(task.value).err != OK;
	}
	return wrong;
}

static u64 count_tasks(void)
{
	struct task_info info;
	u64 count = 0;

	for (u32 after = 0; !task_info_next(after, &info); after = info.id)
		count++;
	return count;
}

SELFTEST(smp_ends,
	 "tasks that are woken, killed, joined and left alone on all harts are all gone afterwards")
{
	u64 before = count_tasks(), until_ns = time_now_ns() + 2 * NS_PER_SECOND;

	NEEDS_HARTS(t);
	CHECK_EQ(t, storm(t, run_ends, NULL), 0);
	while (count_tasks() > before && time_now_ns() < until_ns)
		if (task_sleep(NS_PER_MS)) /* the idle tasks give back what is left */
			break;
	CHECK_EQ(t, count_tasks(), before);
}

/* ---- The log ---- */

#define LINES 40U

/* "storm HART NUMBER HART NUMBER": half of one line and half of another does not look like that. */
static u64 run_lines(void *arg)
{
	u32 self = this_cpu()->index;

	(void)arg;
	for (u32 i = 0; i < LINES; i++) {
		u8 bytes[PRINTK_LINE_MAX];
		struct byte_buf text = BYTE_BUF(bytes);

		fmt(&text, "storm %u %u %u %u", self, i, self, i);
		klog_append(PRINTK_TRACE, i, byte_buf_to_str(&text));
	}
	return 0;
}

/* True: it is the next of its hart, and whole. */
static bool line_is_next(struct str line, u32 *next)
{
	u8 bytes[PRINTK_LINE_MAX] = { 0 };

	for_each_hart(hart, harts_online())
	{
		struct byte_buf text = BYTE_BUF(bytes);

		fmt(&text, "storm %lu %u %lu %u", hart, next[hart], hart, next[hart]);
		if (str_eq(line, byte_buf_to_str(&text))) {
			next[hart]++;
			return true;
		}
	}
	return false;
}

SELFTEST(smp_klog, "lines of all harts are in the log whole, and each hart's in its order")
{
	u8 bytes[PRINTK_LINE_MAX];
	struct byte_buf text = BYTE_BUF(bytes);
	struct klog_cursor cursor = { 0 };
	u32 next[CONFIG_CPU_MAX] = { 0 };
	struct klog_line line;
	u64 sequence;

	NEEDS_HARTS(t);
	while (!klog_next(&cursor, &line, &text))
		;
	sequence = cursor.sequence;
	storm(t, run_lines, NULL);
	while (!klog_next(&cursor, &line, &text)) {
		CHECK_EQ(t, line.sequence, sequence++);
		if (str_starts_with(line.text, STR("storm ")))
			CHECK(t, line_is_next(line.text, next));
	}
	for_each_hart(hart, harts_online()) CHECK_EQ(t, next[hart], LINES);
}

/* ---- The console ---- */

#define CONSOLE_LINES 25U

static u64 run_prints(void *unused)
{
	u32 self = this_cpu()->index;

	(void)unused;
	for (u32 i = 0; i < CONSOLE_LINES; i++)
		console_printf("# storm %u %u %u %u\n", self, i, self, i);
	return 0;
}

SELFTEST(smp_console, "lines of all harts come out (grader/check/test_smp.py: whole, and in order)")
{
	NEEDS_HARTS(t);
	CHECK_EQ(t, storm(t, run_prints, NULL), 0);
}

/* ---- Interrupts of devices ---- */

#define UNUSED_IRQ 91

/* Its argument is the name of who asked for it; nobody interrupts. */
static bool never(void *arg)
{
	(void)arg;
	return false;
}

/* Who gets it has it alone until it gives it back; meanwhile it is steered about. */
static u64 run_irqs(void *arg)
{
	static const struct str names[] = { STR("even"), STR("odd") };
	struct str name = names[this_cpu()->index % 2];
	struct irq_statistics statistics;
	u64 dice = this_cpu()->index + 1, wrong = 0;

	(void)arg;
	for (u32 i = 0; i < 100; i++) {
		u64 harts = (storm_dice(&dice) & harts_online()) | hart_bit(this_cpu()->index);

		if (request_irq(UNUSED_IRQ, never, NULL, name))
			continue;
		wrong += irq_set_affinity(UNUSED_IRQ, harts) != OK;
		wrong += irq_statistics(UNUSED_IRQ, &statistics) != OK;
		wrong += statistics.affinity != harts || !str_eq(statistics.name, name);
		wrong += free_irq(UNUSED_IRQ) != OK;
	}
	return wrong;
}

SELFTEST(smp_irqs, "an interrupt that all harts ask for has one owner at a time")
{
	struct irq_statistics statistics;

	NEEDS_HARTS(t);
	CHECK_EQ(t, storm(t, run_irqs, NULL), 0);
	CHECK(t, !irq_statistics(UNUSED_IRQ, &statistics));
	CHECK_EQ(t, statistics.affinity, 0);
}

/* ---- Silence ---- */

#define SILENCE_MS 20U
#define SILENCE_MAX (NS_PER_SECOND * 10)

static bool heard; /* atomic: enough silence */

static u64 run_silent(void *unused)
{
	u64 until_ns = time_now_ns() + SILENCE_MAX;
	bool irqs = arch_irq_save();

	(void)unused;
	while (!atomic_load_acquire(&heard) && time_now_ns() < until_ns)
		spin_relax();
	arch_irq_restore(irqs);
	return 0;
}

SELFTEST(smp_silent, "a hart that takes no interrupts is reported, once, and so is its return")
{
	u64 before, until_ns = time_now_ns() + SILENCE_MAX;
	struct result_task task;

	NEEDS_HARTS(t);
	if (!IS_ENABLED(CONFIG_WATCHDOG))
		SKIP(t, "CONFIG_WATCHDOG is off");
	heard = false;
	watchdog_set_hart_limit(SILENCE_MS);
	before = watchdog_silences();
	task = storm_task(hart_bit(bit_lowest(harts_other())), run_silent, NULL);
	while (watchdog_silences() == before && time_now_ns() < until_ns)
		CHECK(t, !task_sleep(NS_PER_MS));
	CHECK(t, !task_sleep(2 * SILENCE_MS * NS_PER_MS));
	CHECK(t, watchdog_silences() > before);
	CHECK_TIMED_EQ(t, watchdog_silences(), before + 1);
	atomic_store_release(&heard, true);
	CHECK(t, !task.err && !task_join(task.value).err);
	watchdog_set_hart_limit(CONFIG_WATCHDOG_HART_MS);
}
