/*
 * Clocks.
 *
 * The hart's time register counts at a rate that the device tree states. Ticks become
 * nanoseconds by one multiplication: ns = ticks * mult >> 32, with mult = 10^9 * 2^32 / hz, exact
 * for rates that divide 10^9 evenly and otherwise off by less than one part in 2^32.
 *
 * The timer's hardware holds one moment (who wants which: timer.c, hart_timer.c). "Never" is a time far ahead, not the greatest number: a
 * compare register of all ones has hung emulators (docs/internals.md, traps of the platform).
 *
 * Calendar arithmetic counts days in eras of 400 years, 146097 days each, beginning on a first
 * of March, so that the leap day is the last of its year (after H. Hinnant's derivation).
 */
#include <arch/cpu.h>
#include <mazu/pcpu.h>
#include <mazu/seqlock.h>
#include <mazu/time.h>

/* A month ahead: sooner than any counter wraps, later than anybody waits. */
#define NEVER_TICKS_AHEAD(hz) ((hz)*60 * 60 * 24 * 30)

static u64 clock_hz;	/* written once at boot, like the next two */
static u64 clock_start; /* tick count at the kernel's first moment */
static u64 clock_mult;
static const struct rtc_ops *rtc;

static u64 ticks_to_ns(u64 ticks)
{
	return (u64)((unsigned __int128)ticks * clock_mult >> 32);
}

/* Rounded up: a deadline is never early. Beyond what 64 bits hold: the last tick there is. */
static u64 ns_to_ticks(u64 ns)
{
	u64 seconds = ns / NS_PER_SECOND;
	u64 rest = (ns % NS_PER_SECOND * clock_hz + NS_PER_SECOND - 1) / NS_PER_SECOND;

	if (seconds >= (UINT64_MAX - clock_start) / clock_hz - 1)
		return UINT64_MAX - clock_start;
	return seconds * clock_hz + rest;
}

void time_init(u64 hz)
{
	clock_hz = hz;
	clock_start = arch_ticks();
	clock_mult = (NS_PER_SECOND << 32) / hz;
}

u64 time_now_ns(void)
{
	return clock_hz ? ticks_to_ns(arch_ticks() - clock_start) : 0;
}

/* ---- Ticks ---- */

u64 time_ns_for(u64 ticks)
{
	return ticks_to_ns(ticks);
}

u64 time_ns_at(u64 raw_ticks)
{
	return ticks_to_ns(raw_ticks - MIN(raw_ticks, clock_start));
}

u64 time_ticks_for(u64 duration_ns)
{
	return ns_to_ticks(duration_ns);
}

u64 time_ticks_at(u64 monotonic_ns)
{
	return clock_start + ns_to_ticks(monotonic_ns);
}

/* It comes once in a while all the same, and whoever is asked then finds nothing due. */
static u64 far_ahead(void)
{
	return time_ticks() + NEVER_TICKS_AHEAD(clock_hz);
}

void timer_never(void)
{
	this_cpu()->timer_ticks = UINT64_MAX;
	arch_timer_set(explore_moment(far_ahead()));
}

void timer_sleep(void)
{
	u64 ticks = this_cpu()->timer_ticks;

	arch_timer_set(ticks == UINT64_MAX ? far_ahead() : ticks - TIMER_LEAD_TICKS);
}

/* ---- Wall time ---- */

/* A clock may take several reads, which two harts must not mix; so it is asked seldom, by one at a time. */
#define WALL_AGE_NS (10 * NS_PER_SECOND)

static struct {
	struct seqlock lock;
	u64 wall_ns; /* lock: what the clock said, */
	u64 at_ns;   /* lock: and when */
} wall;

static void wall_ask(void)
{
	bool irqs = arch_irq_save();

	if (seqlock_write(&wall.lock)) {
		WRITE_ONCE(wall.wall_ns, rtc->read_ns());
		WRITE_ONCE(wall.at_ns, time_now_ns());
		seqlock_write_end(&wall.lock);
	}
	arch_irq_restore(irqs);
}

/* `*age_ns`: since when. */
static u64 wall_read(u64 *age_ns)
{
	u64 turn, wall_ns, at_ns, now_ns;

	do {
		turn = seqlock_read(&wall.lock);
		wall_ns = READ_ONCE(wall.wall_ns);
		at_ns = READ_ONCE(wall.at_ns);
	} while (seqlock_changed(&wall.lock, turn));
	now_ns = time_now_ns();
	*age_ns = now_ns - MIN(at_ns, now_ns); /* harts' clocks may differ a little */
	return wall_ns;
}

void rtc_register(const struct rtc_ops *ops)
{
	rtc = ops;
	wall_ask();
}

struct result_u64 time_wall_ns(void)
{
	u64 wall_ns, age_ns;

	if (!rtc)
		return result_u64_err(ERR_NODEV);
	wall_ns = wall_read(&age_ns);
	if (age_ns > WALL_AGE_NS) {
		wall_ask();
		wall_ns = wall_read(&age_ns);
	}
	return result_u64_ok(wall_ns + age_ns);
}

#define DAYS_PER_ERA 146097
#define DAYS_0000_03_01_TO_1970 719468

void time_to_date(u64 seconds_since_1970, struct time_date *date)
{
	u64 days = seconds_since_1970 / 86400 + DAYS_0000_03_01_TO_1970;
	u32 of_day = (u32)(seconds_since_1970 % 86400);
	u32 of_era = (u32)(days % DAYS_PER_ERA);
	u32 year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	u32 of_year = of_era - (365 * year + year / 4 - year / 100);
	u32 month = (5 * of_year + 2) / 153; /* 0: March */

	*date = (struct time_date){
		.year = (u32)(days / DAYS_PER_ERA) * 400 + year + (month >= 10),
		.month = month < 10 ? month + 3 : month - 9,
		.day = of_year - (153 * month + 2) / 5 + 1,
		.hour = of_day / 3600,
		.minute = of_day / 60 % 60,
		.second = of_day % 60,
	};
}
