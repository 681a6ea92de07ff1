/*
 * Clocks, the timer, and the calendar.
 */
#include <arch/cpu.h>
#include <mazu/selftest.h>
#include <mazu/time.h>

SELFTEST(time_monotonic, "the monotonic clock never goes back and does move")
{
	u64 first = time_now_ns(), last = first;

	for (u32 i = 0; i < 1000; i++) {
		u64 now = time_now_ns();

		REQUIRE(t, now >= last);
		last = now;
	}
	while (time_now_ns() == first)
		;
}

static volatile u64 expired_at;

static void expire(void *arg)
{
	*(volatile u64 *)arg = time_now_ns();
}

/*
 * Looks and waits with interrupts off, so that the one in question cannot come in between; it is
 * taken when they are on again. Each wait ends because the timer is armed.
 */
static u64 wait_for(u64 deadline)
{
	expired_at = 0;
	timer_arm(deadline, expire, (void *)&expired_at);
	while (expired_at == 0) {
		bool irqs = arch_irq_save();

		if (expired_at == 0)
			arch_wait_for_interrupt();
		arch_irq_restore(irqs);
	}
	return expired_at;
}

SELFTEST(timer_not_early, "the timer calls at its deadline or after, never before")
{
	for (u64 ahead = 1; ahead < 20 * NS_PER_MS; ahead = ahead * 3 + 7) {
		u64 deadline = time_now_ns() + ahead;

		CHECK(t, wait_for(deadline) >= deadline);
	}
}

SELFTEST(timer_rounds_up, "a deadline between two ticks is the later one")
{
	u64 day = 86400 * NS_PER_SECOND;

	CHECK_EQ(t, time_ticks_at(day + 1), time_ticks_at(day) + 1);
	CHECK_EQ(t, time_ticks_for(day + 1), time_ticks_for(day) + 1);
}

SELFTEST(timer_past, "a deadline in the past calls at once")
{
	CHECK(t, wait_for(0) != 0);
}

SELFTEST(timer_far, "a deadline beyond the end of time is far away, not in the past")
{
	u64 end = time_now_ns() + NS_PER_MS;

	expired_at = 0;
	timer_arm(UINT64_MAX, expire, (void *)&expired_at);
	while (time_now_ns() < end)
		;
	timer_cancel();
	CHECK_EQ(t, expired_at, 0);
}

SELFTEST(timer_cancelled, "a cancelled timer does not call")
{
	bool irqs =
		arch_irq_save(); /* or a busy host's pause lets it expire before it is cancelled */
	u64 deadline = time_now_ns() + NS_PER_MS;

	expired_at = 0;
	timer_arm(deadline, expire, (void *)&expired_at);
	timer_cancel();
	arch_irq_restore(irqs);
	while (time_now_ns() < deadline + NS_PER_MS)
		;
	CHECK_EQ(t, expired_at, 0);
}

SELFTEST(timer_once, "a timer calls once")
{
	u64 at = wait_for(time_now_ns() + 1000);
	u64 end = time_now_ns() + NS_PER_MS;

	while (time_now_ns() < end)
		;
	CHECK_EQ(t, expired_at, at);
}

static void check_date(struct selftest *t, u64 seconds, struct time_date expected)
{
	struct time_date d;

	time_to_date(seconds, &d);
	CHECK_EQ(t, d.year, expected.year);
	CHECK_EQ(t, d.month, expected.month);
	CHECK_EQ(t, d.day, expected.day);
	CHECK_EQ(t, d.hour, expected.hour);
	CHECK_EQ(t, d.minute, expected.minute);
	CHECK_EQ(t, d.second, expected.second);
}

SELFTEST(time_dates, "seconds since 1970 become the right date, leap years and centuries too")
{
	check_date(t, 0, (struct time_date){ 1970, 1, 1, 0, 0, 0 });
	check_date(t, 951782399, (struct time_date){ 2000, 2, 28, 23, 59, 59 });
	check_date(t, 951782400, (struct time_date){ 2000, 2, 29, 0, 0, 0 });
	check_date(t, 1709164800, (struct time_date){ 2024, 2, 29, 0, 0, 0 });
	check_date(t, 1735689599, (struct time_date){ 2024, 12, 31, 23, 59, 59 });
	check_date(t, 4107542400, (struct time_date){ 2100, 3, 1, 0, 0, 0 });
	check_date(t, 13574563200, (struct time_date){ 2400, 2, 29, 0, 0, 0 });
}

SELFTEST(time_wall_is_after_2020, "the real-time clock tells a time in this century")
{
	struct result_u64 wall = time_wall_ns();

	if (wall.err)
		SKIP(t, "no real-time clock");
	CHECK(t, wall.value > 1577836800 * NS_PER_SECOND);
}
