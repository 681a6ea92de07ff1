/*
 * fault_walk.h - every self-test, with every one of its allocations failing in turn.
 */
#ifndef MAZU_TESTS_FAULT_WALK_H
#define MAZU_TESTS_FAULT_WALK_H

#include <mazu/str.h>
#include <mazu/types.h>

/* Walks the tests whose names match and reports in TAP. Returns how many lost memory; no match: 1. */
u32 fault_walk_run(struct str pattern);

#endif
