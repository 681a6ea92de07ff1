/*
 * model_dl_admit.c - admission to SCHED_DEADLINE against counting what each window may want, one by one.
 */
#include "../../kernel/sched/runqueue.h"
#include "random.h"

#include <mazu/selftest.h>

#define COUNT 6

/* What a task may want in a window, without rounding: its share, or the staircase of its jobs. */
static double wanted(const struct dl_demand *d, u64 window)
{
	if (d->deadline_ns == d->period_ns)
		return (double)window * (double)d->runtime_ns / (double)d->period_ns;
	if (window < d->deadline_ns)
		return 0;
	return (double)d->runtime_ns * (double)((window - d->deadline_ns) / d->period_ns + 1);
}

/* Whether a window of up to `longest` wants more than is granted. */
static bool is_too_much(const struct dl_demand *demands, u32 count, u64 longest)
{
	for (u64 window = 1; window <= longest; window++) {
		double sum = 0;

		for (u32 i = 0; i < count; i++)
			sum += wanted(&demands[i], window);
		/* each share was rounded by 2^-20 */
		if (sum >
		    (double)window * (CONFIG_SCHED_DL_UTIL_THRESHOLD / 100.0 + count * 0x1p-20) +
			    1e-6)
			return true;
	}
	return false;
}

static double density(const struct dl_demand *demands, u32 count)
{
	double sum = 0;

	for (u32 i = 0; i < count; i++)
		sum += (double)demands[i].runtime_ns / (double)demands[i].deadline_ns;
	return sum;
}

SELFTEST(model_admit_sound,
	 "of 20 000 random sets none is admitted that some window is too short for, and "
	 "none refused whose densities fit")
{
	struct dl_demand demands[COUNT];
	u32 admitted = 0, beyond_density = 0;
	u64 seed = 77;

	for (u32 round = 0; round < 20000; round++) {
		u32 count = 1 + random_below(&seed, COUNT);
		double dense;

		for (u32 i = 0; i < count; i++) {
			u64 period = 2 + random_below(&seed, 60);
			u64 runtime =
				1 +
				random_below(&seed, 1 + (u32)period / (1 + random_below(&seed, 5)));
			u64 deadline =
				runtime +
				random_below(&seed, (u32)(period - MIN(runtime, period)) + 1);

			runtime = MIN(runtime, period);
			deadline = random_below(&seed, 3) ? MIN(deadline, period) : period;
			demands[i] = (struct dl_demand){ runtime, deadline, period };
		}
		dense = density(demands, count);
		if (dl_admit(demands, count) == OK) {
			admitted++;
			beyond_density += dense > CONFIG_SCHED_DL_UTIL_THRESHOLD / 100.0 + 1e-9;
			REQUIRE(t, !is_too_much(demands, count, 400));
		} else {
			REQUIRE(t, dense > CONFIG_SCHED_DL_UTIL_THRESHOLD / 100.0 - 1e-5);
		}
	}
	CHECK(t, admitted > 2000 && admitted < 18000);
	CHECK(t, beyond_density > 50);
}

SELFTEST(model_admit_implicit,
	 "with deadlines at the periods it is the sum of shares, 20 000 times")
{
	struct dl_demand demands[40];
	u32 admitted = 0;
	u64 seed = 78;

	for (u32 round = 0; round < 20000; round++) {
		u32 count = 1 + random_below(&seed, 40);
		u64 sum = 0;

		for (u32 i = 0; i < count; i++) {
			u64 period = 1 + random_u64(&seed) % (1UL << (1 + random_below(&seed, 42)));
			u64 runtime = 1 + random_u64(&seed) % period / count * 2;

			runtime = MIN(runtime, period);
			demands[i] = (struct dl_demand){ runtime, period, period };
			sum += (runtime << 20) / period;
		}
		admitted += sum <= (CONFIG_SCHED_DL_UTIL_THRESHOLD << 20) / 100;
		CHECK_EQ(t, dl_admit(demands, count) == OK,
			 sum <= (CONFIG_SCHED_DL_UTIL_THRESHOLD << 20) / 100);
	}
	CHECK(t, admitted > 2000 && admitted < 18000);
}
