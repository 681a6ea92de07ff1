/*
 * time.h - what time it is, and being told when it will be.
 *
 * Two clocks: the monotonic one counts nanoseconds since this kernel was entered, never jumps
 * and is what every deadline means; the wall clock is what people read, and comes from a
 * real-time clock driver.
 */
#ifndef MAZU_TIME_H
#define MAZU_TIME_H

#include <arch/cpu.h>
#include <arch/timer.h>
#include <mazu/config.h>
#include <mazu/error.h>
#include <mazu/explore.h>
#include <mazu/str.h>
#include <mazu/types.h>

#define NS_PER_SECOND 1000000000UL
#define NS_PER_MS 1000000UL

/* Nanoseconds since boot. Any context. */
u64 time_now_ns(void);

/*
 * The clock that the hardware compares with: raw ticks. Durations and moments become ticks rounded
 * up, so nothing is early; too far away becomes the last tick there is. Any context.
 */
static inline u64 time_ticks(void)
{
	return arch_ticks();
}
u64 time_ticks_for(u64 duration_ns);
u64 time_ticks_at(u64 monotonic_ns);
u64 time_ns_for(u64 ticks);
u64 time_ns_at(u64 raw_ticks);

/* Sets up the monotonic clock: the kernel's first moment is 0. Once, before the first printk. */
void time_init(u64 hz);

/*
 * Asks for `expired(arg)` to be called from the timer interrupt at or after `deadline_ns`
 * (monotonic; in the past: at once). One request at a time; a new one replaces the old one. From
 * stage 3 on there are callouts (callout.h), of which this is one.
 */
void timer_arm(u64 deadline_ns, void (*expired)(void *arg), void *arg);
void timer_cancel(void);

/* The timer interrupt, called by trap dispatch. From stage 3 on it may end in another task. */
void timer_interrupt(void);

/* Those that a hart took; 0 where there is none. */
u64 timer_interrupts(u32 hart);
/* Both of this hart. */
void timer_init_hart(void);
void timer_never(void);

/* Nobody runs here until somebody is due: no turn to end (explore.h). Interrupts off. */
void timer_sleep(void);

/* How early the hardware is set where somebody waits out the rest (hart_timer.c). */
#define TIMER_LEAD_TICKS (IS_ENABLED(CONFIG_SCHED) ? CONFIG_TIMER_LEAD_TICKS : 0UL)

/*
 * Sets this hart's hardware to interrupt at or after a moment; UINT64_MAX: never, which is a time far
 * ahead. Interrupts off.
 */
static inline void timer_write(u64 raw_ticks)
{
	if (unlikely(raw_ticks == UINT64_MAX)) {
		timer_never();
	} else {
		this_cpu()->timer_ticks = raw_ticks;
		arch_timer_set(explore_moment(raw_ticks - TIMER_LEAD_TICKS));
	}
}

/* A real-time clock. */
struct rtc_ops {
	struct str name;
	/* Nanoseconds since 1970-01-01 00:00:00 UTC. */
	u64 (*read_ns)(void);
};
void rtc_register(const struct rtc_ops *ops);

/* Wall time as above; ERR_NODEV without a real-time clock. */
struct result_u64 __must_check time_wall_ns(void);

/* A moment as people write it, UTC, proleptic Gregorian calendar. */
struct time_date {
	u32 year, month, day, hour, minute, second; /* month and day from 1 */
};
void time_to_date(u64 seconds_since_1970, struct time_date *date);

#endif
