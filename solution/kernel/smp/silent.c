/*
 * The watchdog of harts: who takes no interrupts any more.
 *
 * Each hart has a callout that leaves the time behind, four times in the limit, and looks when the others did so
 * last. One that did not for longer than the limit is reported, once, by whoever is the first to see it; it
 * says itself when it is heard again, and for how long it was not. So a hart that has its interrupts off, or hangs in the firmware,
 * is noticed as long as another is alive. A lock that it holds is found by who waits for it (spinlock.c).
 *
 * The price is an interrupt of each hart four times in CONFIG_WATCHDOG_HART_MS. A machine with one hart has nobody to
 * look, and nothing of this.
 */
#include <mazu/atomic.h>
#include <mazu/callout.h>
#include <mazu/printk.h>
#include <mazu/smp.h>
#include <mazu/time.h>
#include <mazu/watchdog.h>

#define BEATS 4 /* in the limit */

static struct beat {
	struct callout callout;
	u64 heard; /* atomic: ticks; 0: not yet */
	u32 told;  /* atomic: 1: that it is silent */
} __per_hart beats[CONFIG_CPU_MAX];

static u64 limit;    /* atomic: ticks */
static u64 silences; /* atomic: reports */

u64 watchdog_silences(void)
{
	return atomic_load_relaxed(&silences);
}

/* How long it was not heard. */
static u64 silent_ticks(const struct beat *beat, u64 now)
{
	u64 heard = atomic_load_relaxed(&beat->heard);

	return heard ? now - MIN(heard, now) : 0;
}

static void look_at(u32 hart, u64 now)
{
	struct beat *beat = &beats[hart];
	u64 ticks = silent_ticks(beat, now);

	if (likely(ticks <= atomic_load_relaxed(&limit)) ||
	    atomic_exchange_relaxed(&beat->told, 1U))
		return;
	atomic_add_relaxed(&silences, 1);
	pr_err("watchdog: hart %u has taken no interrupt for %lu ms", hart,
	       time_ns_for(ticks) / NS_PER_MS);
}

static void beat_run(struct callout *callout)
{
	u32 self = this_cpu()->index;
	struct beat *own = &beats[self];
	u64 now = time_ticks(), ticks = silent_ticks(own, now);

	atomic_store_relaxed(&own->heard, now);
	if (unlikely(atomic_exchange_relaxed(&own->told, 0U)))
		pr_err("watchdog: hart %u is back after %lu ms", self,
		       time_ns_for(ticks) / NS_PER_MS);
	for_each_hart(hart, harts_other()) look_at((u32)hart, now);
	callout_arm(callout, now + atomic_load_relaxed(&limit) / BEATS);
}

/* Each hart's callout is in that hart's queue. */
static void beat_begin(void *unused)
{
	struct beat *own = &beats[this_cpu()->index];

	(void)unused;
	if (!own->callout.run)
		callout_init(&own->callout, beat_run);
	atomic_store_relaxed(&own->heard, time_ticks());
	callout_arm(&own->callout, time_ticks() + atomic_load_relaxed(&limit) / BEATS);
}

void watchdog_set_hart_limit(u32 ms)
{
	if (!harts_are_many())
		return;
	atomic_store_relaxed(&limit, time_ticks_for(ms * NS_PER_MS));
	on_each_hart(beat_begin, NULL);
}
