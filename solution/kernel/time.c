/*
 * Clocks, and the one timer of this stage.
 *
 * The hart's time register counts at a rate that the device tree states. Ticks become
 * nanoseconds by one multiplication: ns = ticks * mult >> 32, with mult = 10^9 * 2^32 / hz, exact
 * for rates that divide 10^9 evenly and otherwise off by less than one part in 2^32.
 *
 * The timer holds at most one deadline. "Never" is a time far ahead, not the greatest number: a
 * compare register of all ones has hung emulators (docs/internals.md, traps of the platform).
 *
 * Calendar arithmetic counts days in eras of 400 years, 146097 days each, beginning on a first
 * of March, so that the leap day is the last of its year (after H. Hinnant's derivation).
 */
#include <arch/cpu.h>
#include <mazu/pcpu.h>
#include <mazu/time.h>

/* A month ahead: sooner than any counter wraps, later than anybody waits. */
#define NEVER_TICKS_AHEAD(hz) ((hz)*60 * 60 * 24 * 30)

static u64 clock_hz;	/* written once at boot, like the next three */
static u64 clock_start; /* tick count at the kernel's first moment */
static u64 clock_mult;
static const struct timer_ops *timer_ops;
static const struct rtc_ops *rtc;

static struct {
	void (*expired)(void *arg);
	void *arg;
	u64 deadline_ticks;
	u64 interrupts;
} timer; /* this hart, interrupts off */

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

/* ---- The timer ---- */

const struct timer_ops *timer_set_ops(const struct timer_ops *ops)
{
	const struct timer_ops *previous = timer_ops;

	timer_ops = ops;
	timer_cancel();
	return previous;
}

struct str timer_name(void)
{
	return timer_ops ? timer_ops->name : STR("none");
}

u64 timer_interrupts(void)
{
	return timer.interrupts;
}

/* The hardware gets the deadline, or for one beyond "never" a moment to look again. */
static void timer_program(void)
{
	timer_ops->set(MIN(timer.deadline_ticks, arch_ticks() + NEVER_TICKS_AHEAD(clock_hz)));
}

void timer_arm(u64 deadline_ns, void (*expired)(void *arg), void *arg)
{
	bool irqs = arch_irq_save();

	timer.expired = expired;
	timer.arg = arg;
	timer.deadline_ticks = clock_start + ns_to_ticks(deadline_ns);
	timer_program();
	arch_irq_restore(irqs);
}

void timer_cancel(void)
{
	bool irqs = arch_irq_save();

	timer.expired = NULL;
	timer.deadline_ticks = UINT64_MAX;
	timer_program();
	arch_irq_restore(irqs);
}

/* The interrupt stays pending until the compare register lies ahead: set it before the callback. */
void timer_interrupt(void)
{
	void (*expired)(void *arg) = timer.expired;

	timer.interrupts++;
	if (arch_ticks() < timer.deadline_ticks) {
		timer_program();
		return;
	}
	timer_cancel();
	if (expired)
		expired(timer.arg);
}

/* ---- Wall time ---- */

void rtc_register(const struct rtc_ops *ops)
{
	rtc = ops;
}

struct result_u64 time_wall_ns(void)
{
	return rtc ? result_u64_ok(rtc->read_ns()) : result_u64_err(ERR_NODEV);
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
