/*
 * Callouts with the real timer: when they run, and a burst of ten thousand.
 *
 * Time may be the host's, which stops and jumps as it likes. So what has to be armed before the first
 * may run is armed with interrupts off, and nothing is said about how late something is.
 */
#include <arch/cpu.h>
#include <mazu/callout.h>
#include <mazu/page.h>
#include <mazu/pcpu.h>
#include <mazu/selftest.h>
#include <mazu/time.h>

#define SEVERAL 50

struct timed {
	struct callout callout;
	u64 ran_at; /* 0: it did not */
};

static struct timed several[SEVERAL];
static volatile u32 ran_count;
static u64 last_moment, early, disorder; /* what callouts see; interrupts off */

static void timed_run(struct callout *callout)
{
	struct timed *timed = container_of(callout, struct timed, callout);

	timed->ran_at = time_ticks();
	early += timed->ran_at < callout->node.key;
	disorder += callout->node.key < last_moment;
	last_moment = callout->node.key;
	ran_count++;
}

static void timed_begin(void)
{
	ran_count = 0;
	last_moment = early = disorder = 0;
}

static void guard_run(struct callout *callout)
{
	(void)callout;
}

/* Sleeps between; the guard ends the wait a second after the last is due. */
static void wait_until(u32 count, u64 last_due)
{
	u64 end = last_due + time_ticks_for(NS_PER_SECOND);
	static struct callout guard;

	callout_init(&guard, guard_run);
	callout_arm(&guard, end);
	while (ran_count < count && time_ticks() < end) {
		bool irqs = arch_irq_save();

		if (ran_count < count)
			arch_wait_for_interrupt();
		arch_irq_restore(irqs);
	}
	callout_cancel_sync(&guard);
}

SELFTEST(callout_timer, "fifty callouts armed out of order run in order, none early")
{
	u64 now = time_ticks(), step = time_ticks_for(NS_PER_MS / 10);
	bool irqs = arch_irq_save();

	timed_begin();
	for (u32 i = 0; i < SEVERAL; i++) {
		callout_init(&several[i].callout, timed_run);
		callout_arm(&several[i].callout, now + step * (2 + i * 7 % SEVERAL));
	}
	arch_irq_restore(irqs);
	wait_until(SEVERAL, now + step * (2 + SEVERAL));
	CHECK_EQ(t, ran_count, SEVERAL);
	CHECK_EQ(t, early, 0);
	CHECK_EQ(t, disorder, 0);
	for (u32 i = 0; i < SEVERAL; i++)
		callout_cancel_sync(&several[i].callout);
}

SELFTEST(callout_past, "one whose moment has passed runs at once")
{
	timed_begin();
	callout_init(&several[0].callout, timed_run);
	callout_arm(&several[0].callout, time_ticks() - 1000);
	wait_until(1, time_ticks());
	CHECK_EQ(t, ran_count, 1);
	callout_cancel_sync(&several[0].callout);
}

static struct {
	struct callout callout;
	u64 period;
	u32 left;
} again;

static void again_run(struct callout *callout)
{
	ran_count++;
	if (--again.left)
		callout_arm(callout, callout->node.key + again.period);
}

SELFTEST(callout_periodic, "a callout that arms itself again keeps its period without drift")
{
	u64 begin = time_ticks();

	timed_begin();
	again.period = time_ticks_for(NS_PER_MS);
	again.left = 20;
	callout_init(&again.callout, again_run);
	callout_arm(&again.callout, begin + again.period);
	wait_until(20, begin + 20 * again.period);
	CHECK_EQ(t, ran_count, 20);
	CHECK_EQ(t, again.callout.node.key, begin + 20 * again.period);
	callout_cancel_sync(&again.callout);
}

SELFTEST(callout_cancel_while_waiting, "what is cancelled before its time never runs")
{
	u64 due = time_ticks() + time_ticks_for(2 * NS_PER_MS);
	bool irqs = arch_irq_save();

	timed_begin();
	for (u32 i = 0; i < SEVERAL; i++) {
		callout_init(&several[i].callout, timed_run);
		callout_arm(&several[i].callout, due);
	}
	for (u32 i = 0; i < SEVERAL; i += 2)
		CHECK(t, callout_cancel_sync(&several[i].callout));
	arch_irq_restore(irqs);
	wait_until(SEVERAL / 2, due);
	while (time_ticks() < due + time_ticks_for(5 * NS_PER_MS))
		arch_relax();
	CHECK_EQ(t, ran_count, SEVERAL / 2);
	for (u32 i = 1; i < SEVERAL; i += 2)
		CHECK(t, !callout_cancel_sync(&several[i].callout));
}

/* ---- Ten thousand ---- */

#define BURST 10000
#define BLOCK_ORDER 2
#define BLOCK_COUNT ((PAGE_SIZE << BLOCK_ORDER) / sizeof(struct timed))
#define BLOCKS (BURST / BLOCK_COUNT + 1)

static struct timed *blocks[BLOCKS];

static struct timed *burst_at(u32 index)
{
	return &blocks[index / BLOCK_COUNT][index % BLOCK_COUNT];
}

static bool burst_allocate(void)
{
	for (u32 i = 0; i < BLOCKS; i++) {
		struct result_ptr block = page_alloc(BLOCK_ORDER, PAGE_TEST);

		blocks[i] = block.value;
		if (block.err)
			return false;
	}
	return true;
}

static void burst_free(void)
{
	for (u32 i = 0; i < BLOCKS; i++) {
		if (blocks[i])
			page_free(blocks[i], BLOCK_ORDER);
		blocks[i] = NULL;
	}
}

/* All at one moment but every fourth, which is cancelled or comes later. */
static u32 burst_arm(u64 due)
{
	u32 left = BURST;
	bool irqs = arch_irq_save();

	for (u32 i = 0; i < BURST; i++) {
		struct callout *callout = &burst_at(i)->callout;

		callout_init(callout, timed_run);
		callout_arm(callout, i % 4 ? due : due + i);
	}
	for (u32 i = 0; i < BURST; i += 8)
		left -= callout_cancel(&burst_at(i)->callout);
	arch_irq_restore(irqs);
	return left;
}

SELFTEST(callout_burst,
	 "ten thousand at once: each that is not cancelled runs once, in order, none early")
{
	u64 due = time_ticks() + time_ticks_for(20 * NS_PER_MS);
	u32 left;

	timed_begin();
	if (burst_allocate()) {
		left = burst_arm(due);
		CHECK_EQ(t, left, BURST - BURST / 8);
		wait_until(left, due);
		CHECK_EQ(t, ran_count, left);
		CHECK_EQ(t, early, 0);
		CHECK_EQ(t, disorder, 0);
		for (u32 i = 0; i < BURST; i++)
			callout_cancel_sync(&burst_at(i)->callout);
	} else {
		CHECK(t, false); /* no memory */
	}
	burst_free();
}
