/*
 * reservations.h - what a test of SCHED_DEADLINE needs from those before it: a hart that is nobody's.
 *
 * What an ended task had reserved counts until its deadline, so who comes next has to wait, longer on a slow host.
 */
#ifndef MAZU_TESTS_KERNEL_RESERVATIONS_H
#define MAZU_TESTS_KERNEL_RESERVATIONS_H

#include <mazu/types.h>

/* Waits until nothing of the first hart is reserved. False: something still was after a second. */
bool reservations_await_none(void);

#endif
