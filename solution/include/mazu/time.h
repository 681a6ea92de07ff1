/*
 * time.h - what time it is, and being told when it will be.
 *
 * Two clocks: the monotonic one counts nanoseconds since this kernel was entered, never jumps
 * and is what every deadline means; the wall clock is what people read, and comes from a
 * real-time clock driver.
 */
#ifndef MAZU_TIME_H
#define MAZU_TIME_H

#include <mazu/error.h>
#include <mazu/str.h>
#include <mazu/types.h>

#define NS_PER_SECOND 1000000000UL
#define NS_PER_MS 1000000UL

/* Nanoseconds since boot. Any context. */
u64 time_now_ns(void);

/* Sets up the monotonic clock: the kernel's first moment is 0. Once, before the first printk. */
void time_init(u64 hz);

/*
 * Asks for `expired(arg)` to be called from the timer interrupt at or after `deadline_ns`
 * (monotonic; in the past: at once). One request at a time on this hart; a new one replaces the
 * old one. Stage 3 puts a queue of callouts on top.
 */
void timer_arm(u64 deadline_ns, void (*expired)(void *arg), void *arg);
void timer_cancel(void);

/* The timer interrupt, called by trap dispatch. */
void timer_interrupt(void);

/* The timer's hardware, from arch: absolute ticks; a "never" is far away but finite. */
struct timer_ops {
	struct str name;
	void (*set)(u64 deadline_ticks);
};
/* Cancels what was armed. Returns the one before, or NULL. */
const struct timer_ops *timer_set_ops(const struct timer_ops *ops);
struct str timer_name(void);
u64 timer_interrupts(void);

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
