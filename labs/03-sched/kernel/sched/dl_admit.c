/*
 * Whether all deadlines can be met: the promise that SCHED_DEADLINE makes before a task begins.
 *
 * Two conditions. No more may be asked for in the long run than there is: the sum of runtime / period is at
 * most the threshold. Each share is counted in 2^-20, rounded down, and so is the threshold: n
 * tasks are admitted that ask for n * 2^-20 of the hart too much, at most, which is 61 millionths for 64.
 * When every deadline is its period that is all: earliest deadline first uses a hart fully.
 *
 * A shorter deadline needs more than its share for a while. In a window of length t a task wants
 *
 *	deadline == period	at most its share of it, share * t (it may begin anywhere: Abeni,
 *				Buttazzo 1998, theorem 1)
 *	deadline < period	nothing if t < deadline, else one budget, and from there on at most its share:
 *				runtime + share * (t - deadline)
 *
 * and the sum of those must be at most the threshold's share of t, for each t. The second line touches
 * the true demand, which is a staircase, from above at its first step (and dl_replenish.c sees to it that a
 * task keeps to that staircase also when it sleeps in the middle of a job). The sum is a line that
 * jumps where a shorter deadline is; between jumps it grows no faster than the sum of all shares,
 * which is below the threshold already. So only those deadlines need a look: at most n^2 terms,
 * some 15 instructions each. Here shares are rounded up, so nothing is admitted that should not be.
 *
 * This is sufficient, not necessary: whoever refuses on the exact staircase (Zhang, Burns 2009) admits
 * some sets more and may take as many steps as a hyperperiod has. It admits all that
 * the sum of runtime / deadline admits.
 *
 * Of a mixed-criticality set each task counts with the most that it may ever get, its HI budget if it has
 * one, so both modes fit. EDF-VD, which would admit more, is left out.
 *
 * Source: Liu, Layland 1973, theorem 7; Baruah, Mok, Rosier 1990 (demand); Devi 2003 (ECRTS) and Baruah,
 * Fisher 2006 (the line above the staircase).
 */
#include "runqueue.h"

#define UNIT 20 /* a share is in 2^-UNIT */

/* Below it no product here is too large: share * time, or runtime in units. Nanoseconds. */
#define TIME_MAX (1UL << 43)

static u64 share_up(const struct dl_demand *demand)
{
	return ((demand->runtime_ns << UNIT) + demand->period_ns - 1) / demand->period_ns;
}

/* The most that it wants within a window, in 2^-UNIT ns. */
static u64 demand_within(const struct dl_demand *demand, u64 window_ns)
{
	if (demand->deadline_ns >= demand->period_ns)
		return share_up(demand) * window_ns;
	if (window_ns < demand->deadline_ns)
		return 0;
	return (demand->runtime_ns << UNIT) + share_up(demand) * (window_ns - demand->deadline_ns);
}

static bool fits_within(const struct dl_demand *demands, size_t count, u64 window_ns)
{
	unsigned __int128 sum = 0, granted = CONFIG_SCHED_DL_UTIL_THRESHOLD * window_ns;

	for (size_t i = 0; i < count; i++)
		sum += demand_within(&demands[i], window_ns);
	return sum * 100 <= granted << UNIT;
}

enum error dl_admit(const struct dl_demand *demands, size_t count)
{
	/*
	 * OK if all `count` reservations can be kept, else ERR_BUSY.
	 *
	 * In the long run: each counts (runtime << 20) / period, rounded down; the sum may be
	 * at most CONFIG_SCHED_DL_UTIL_THRESHOLD * 2^20 / 100, rounded down. When every
	 * deadline is its period that is all.
	 *
	 * A shorter deadline wants its budget earlier. For each such deadline, taken as the
	 * length of a window, ask fits_within(), which adds up what all of them may want in so
	 * long. (It is written for you, above; read why the other lengths need no look.) A
	 * period of TIME_MAX or more is refused: the products there would overflow.
	 */
	LAB_TODO(3, 5);
}
/* mazu: lab 3 interface ab7d1c52e877 */
