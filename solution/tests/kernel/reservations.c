/* See reservations.h. */
#include "reservations.h"

#include <mazu/task.h>
#include <mazu/time.h>

static u64 bandwidth(void)
{
	struct sched_info info;

	return sched_info(0, &info) ? UINT64_MAX : info.bandwidth;
}

bool reservations_await_none(void)
{
	u64 until_ns = time_now_ns() + NS_PER_SECOND;

	while (bandwidth())
		if (task_sleep(NS_PER_MS) || time_now_ns() > until_ns)
			return false;
	return true;
}
