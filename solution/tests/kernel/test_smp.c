/*
 * Several harts: that they are there, that they hear each other, and that what they share stays whole.
 *
 * Each storm runs the same function on every hart at once, in tasks that stay there. With seed=N the machine's harts
 * meet at other places of it for each N (explore.h).
 */
#include <arch/cpu.h>
#include <mazu/callout.h>
#include <mazu/kmalloc.h>
#include <mazu/page.h>
#include <mazu/selftest.h>
#include <mazu/seqlock.h>
#include <mazu/smp.h>
#include <mazu/spinlock.h>
#include <mazu/task.h>
#include <mazu/time.h>

#include "storm.h"

#define ROUNDS 200U

/* ---- Calls ---- */

static u64 called; /* atomic: bits of harts */

static void note_hart(void *arg)
{
	(void)arg;
	atomic_or_relaxed(&called, hart_bit(this_cpu()->index));
}

SELFTEST(smp_call_reaches, "a call runs once on each hart that was asked, and nowhere else")
{
	for_each_hart(hart, harts_online())
	{
		called = 0;
		smp_call(hart_bit((u32)hart), note_hart, NULL);
		CHECK_EQ(t, called, hart_bit((u32)hart));
	}
	called = 0;
	smp_call(UINT64_MAX, note_hart, NULL);
	CHECK_EQ(t, called, harts_online());
}

static u64 calls; /* atomic */

static void count_call(void *arg)
{
	(void)arg;
	atomic_add_relaxed(&calls, 1);
}

static u64 run_calls(void *arg)
{
	for (u32 i = 0; i < ROUNDS; i++)
		smp_call(harts_online(), count_call, arg);
	return ROUNDS;
}

SELFTEST(smp_call_storm,
	 "harts that all call each other at once wait for nobody for ever, and no call is lost")
{
	calls = 0;
	CHECK_EQ(t, storm(t, run_calls, NULL) * storm_harts(), calls);
}

/* ---- Locks ---- */

/* Of a class that can be left out, to see that seeds find it: docs/debugging.md. */
static struct spinlock counter_lock = SPINLOCK_INIT(LOCK_CONSOLE);
static u64 counter; /* counter_lock */

/* Read, change, write, with something in between. */
static u64 run_counts(void *unused)
{
	(void)unused;
	for (u32 i = 0; i < ROUNDS * 10; i++) {
		bool irqs = spin_lock_irqsave(&counter_lock);
		u64 before = counter;

		barrier();
		counter = before + 1;
		spin_unlock_irqrestore(&counter_lock, irqs);
	}
	return 0;
}

SELFTEST(smp_lock_counts, "a counter under a lock loses nothing, whoever counts")
{
	counter = 0;
	storm(t, run_counts, NULL);
	CHECK_EQ(t, counter, ROUNDS * 10 * storm_harts());
}

/* ---- Seqlocks ---- */

static struct {
	struct seqlock lock;
	u64 words[8]; /* lock: all the same */
	u64 writes;   /* atomic */
} seq;

static u64 seq_write(u64 value)
{
	bool irqs = arch_irq_save(), mine = seqlock_write(&seq.lock);

	if (mine) {
		for (u32 i = 0; i < ARRAY_SIZE(seq.words); i++)
			WRITE_ONCE(seq.words[i], value);
		seqlock_write_end(&seq.lock);
	}
	arch_irq_restore(irqs);
	return mine;
}

/* How many words are not what the first one is. */
static u64 seq_read(void)
{
	u64 turn, wrong;

	do {
		u64 first;

		wrong = 0;
		turn = seqlock_read(&seq.lock);
		first = READ_ONCE(seq.words[0]);
		for (u32 i = 1; i < ARRAY_SIZE(seq.words); i++)
			wrong += READ_ONCE(seq.words[i]) != first;
	} while (seqlock_changed(&seq.lock, turn));
	return wrong;
}

/* All write now and then, and read all the time. */
static u64 run_seq(void *unused)
{
	u64 wrong = 0;

	(void)unused;
	for (u32 i = 0; i < ROUNDS * 4; i++) {
		if (i % 8 == 0)
			atomic_add_relaxed(&seq.writes, seq_write(this_cpu()->index * 1000UL + i));
		wrong += seq_read();
	}
	return wrong;
}

SELFTEST(smp_seqlock, "what was read under a seqlock was written together")
{
	u64 turn = seqlock_read(&seq.lock);

	seq.writes = 0;
	CHECK_EQ(t, storm(t, run_seq, NULL), 0);
	CHECK(t, seq.writes > 0);
	CHECK_EQ(t, seqlock_read(&seq.lock), turn + 2 * seq.writes);
}

/* ---- Memory ---- */

static u64 run_allocates(void *arg)
{
	void *objects[16] = { NULL };
	u64 lost = 0;

	for (u32 i = 0; i < ROUNDS * 4; i++) {
		u32 at = i * 7 % ARRAY_SIZE(objects);
		size_t size = 16UL << at % 8;
		struct result_ptr object;

		if (objects[at]) {
			lost += *(u64 *)objects[at] != (uptr)&objects[at];
			kfree(objects[at], size);
		}
		object = kmalloc(size);
		objects[at] = object.value;
		if (objects[at])
			*(u64 *)objects[at] = (uptr)&objects[at];
	}
	for (u32 at = 0; at < ARRAY_SIZE(objects); at++)
		kfree(objects[at], 16UL << at % 8);
	return lost + (uptr)arg;
}

SELFTEST(smp_kmalloc, "objects of different harts are different objects")
{
	CHECK_EQ(t, storm(t, run_allocates, NULL), 0);
}

static u64 run_pages(void *arg)
{
	u64 lost = 0;

	for (u32 i = 0; i < ROUNDS; i++) {
		u32 order = i % 4;
		struct result_ptr page = page_alloc(order, PAGE_TEST);

		if (page.err)
			continue;
		*(volatile u64 *)page.value = (uptr)&page;
		task_yield();
		lost += *(volatile u64 *)page.value != (uptr)&page;
		page_free(page.value, order);
	}
	return lost + (uptr)arg;
}

SELFTEST(smp_pages, "pages of different harts are different pages, and all come back")
{
	struct page_statistics before, after;

	page_statistics(&before);
	CHECK_EQ(t, storm(t, run_pages, NULL), 0);
	page_statistics(&after);
	CHECK_EQ(t, after.held[PAGE_TEST], before.held[PAGE_TEST]);
}

/* ---- Tasks ---- */

static u64 run_ends(void *arg)
{
	return (uptr)arg;
}

static u64 run_creates(void *arg)
{
	u64 failed = 0;

	for (u32 i = 0; i < ROUNDS / 8; i++) {
		struct result_task task = storm_task(UINT64_MAX, run_ends, (void *)(uptr)i);

		failed += task.err || task_join(task.value).value != i;
	}
	return failed + (uptr)arg;
}

SELFTEST(smp_create_join,
	 "tasks that are made and joined on all harts at once end with their own results")
{
	CHECK_EQ(t, storm(t, run_creates, NULL), 0);
}

struct rally {
	struct task *partner;
	bool is_last; /* its last shot is for nobody */
	u64 shots;
};

static u64 run_rally(void *arg)
{
	struct rally *rally = arg;

	for (u32 i = 0; i < ROUNDS; i++) {
		if (task_park())
			break;
		if (++rally->shots < ROUNDS || !rally->is_last)
			task_unpark(rally->partner);
	}
	return rally->shots;
}

SELFTEST(smp_unpark, "no wake-up from another hart is lost")
{
	struct rally here = { .shots = 0 }, there = { .is_last = true };
	u64 last = harts_online();
	struct result_task a, b;

	while (last & (last - 1))
		last &= last - 1;
	a = storm_task(hart_bit(0), run_rally, &here);
	b = storm_task(last, run_rally, &there);
	if (!a.err && !b.err) {
		there.partner = a.value;
		here.partner = b.value;
		task_unpark(a.value);
	}
	if (CHECK(t, !a.err) && b.err)
		task_kill(a.value);
	if (CHECK(t, !b.err) && a.err)
		task_kill(b.value);
	if (!a.err)
		CHECK_EQ(t, task_join(a.value).value, b.err ? 0 : ROUNDS);
	if (!b.err)
		CHECK_EQ(t, task_join(b.value).value, a.err ? 0 : ROUNDS);
}

/* ---- Where tasks run ---- */

static u64 run_where(void *arg)
{
	u64 *seen = arg;

	while (!task_is_killed())
		atomic_or_relaxed(seen, hart_bit(this_cpu()->index));
	return 0;
}

/* Until another hart has set them; false: it did not, however slow the host. */
static bool await_bits(const u64 *word, u64 bits)
{
	u64 until_ns = time_now_ns() + 20 * NS_PER_SECOND;

	while ((atomic_load_relaxed(word) & bits) != bits)
		if (time_now_ns() > until_ns || task_sleep(NS_PER_MS / 10))
			return false;
	return true;
}

SELFTEST(smp_affinity_running,
	 "a task that runs moves to each hart that it is sent to, and leaves the last")
{
	u64 seen = 0;
	struct result_task task;

	if (harts_online() == 1)
		SKIP(t, "there is one hart");
	task = storm_task(harts_online() & ~1UL, run_where, &seen);
	REQUIRE(t, !task.err);
	for_each_hart(hart, harts_online() & ~1UL)
	{
		CHECK(t, !sched_set_affinity(task.value, hart_bit((u32)hart)));
		CHECK(t, await_bits(&seen, hart_bit((u32)hart)));
		atomic_exchange_acquire(&seen, 0UL);
		CHECK(t, await_bits(&seen, hart_bit((u32)hart)));
		CHECK_EQ(t, atomic_load_relaxed(&seen), hart_bit((u32)hart));
	}
	CHECK_EQ(t, sched_set_affinity(task.value, 0), ERR_INVAL);
	CHECK_EQ(t, sched_set_affinity(task.value, ~harts_online()), ERR_INVAL);
	task_kill(task.value);
	CHECK(t, !task_join(task.value).err);
}

SELFTEST(smp_affinity_self, "a task that sends itself away is there at the next line")
{
	u64 own = sched_affinity(task_current());

	for_each_hart(hart, harts_online())
	{
		CHECK(t, !sched_set_affinity(task_current(), hart_bit((u32)hart)));
		CHECK_EQ(t, this_cpu()->index, hart);
	}
	CHECK(t, !sched_set_affinity(task_current(), own));
	CHECK_EQ(t, this_cpu()->index, 0);
}

SELFTEST(smp_spread, "hogs that are made on one hart spread over all of them")
{
	struct result_task hogs[CONFIG_CPU_MAX];
	u64 seen[CONFIG_CPU_MAX] = { 0 }, together = 0;
	struct task_attributes attributes = { .name = STR("hog"), .affinity = UINT64_MAX };

	for_each_hart(i, harts_online()) hogs[i] = task_create(&attributes, run_where, &seen[i]);
	CHECK(t, !task_sleep(60 * NS_PER_MS));
	for_each_hart(i, harts_online()) atomic_exchange_acquire(&seen[i], 0UL);
	CHECK(t, !task_sleep(5 * NS_PER_MS));
	for_each_hart(i, harts_online())
	{
		together |= atomic_load_relaxed(&seen[i]);
		if (hogs[i].err)
			continue;
		task_kill(hogs[i].value);
		CHECK(t, !task_join(hogs[i].value).err);
	}
	CHECK_TIMED_EQ(t, together, harts_online());
}
