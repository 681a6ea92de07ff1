/*
 * Who gives, and to whom: averages and receivers of loads that are made up. That tasks do spread is smp_spread's.
 */
#include <mazu/selftest.h>

#include "../../kernel/sched/runqueue.h"

SELFTEST(balance_average,
	 "an average goes an eighth of the way, up and down, and stays where nothing changes")
{
	CHECK_EQ(t, balance_average(0, 1), BALANCE_ONE / BALANCE_STEPS);
	CHECK_EQ(t, balance_average(2 * BALANCE_ONE, 1),
		 2 * BALANCE_ONE - BALANCE_ONE / BALANCE_STEPS);
	CHECK_EQ(t, balance_average(3 * BALANCE_ONE, 3), 3 * BALANCE_ONE);
	CHECK_EQ(t, balance_average(5, 0), 5);
}

SELFTEST(balance_receiver, "the least loaded hart gets one, if it has less by a task and a half")
{
	u32 loads[CONFIG_CPU_MAX + 3] = { 3000, 100, 100 };

	CHECK_EQ(t, balance_receiver(loads, 6, 3000), 1);
	CHECK_EQ(t, balance_receiver(loads, 4, 3000), 2);
	CHECK_EQ(t, balance_receiver(loads, 6, 100 + BALANCE_ONE * 3 / 2), 1);
	CHECK_EQ(t, balance_receiver(loads, 6, 99 + BALANCE_ONE * 3 / 2), BALANCE_NOBODY);
	CHECK_EQ(t, balance_receiver(loads, 0, 3000), BALANCE_NOBODY);
	CHECK_EQ(t, balance_receiver(loads, 1, 3000), BALANCE_NOBODY);
}
