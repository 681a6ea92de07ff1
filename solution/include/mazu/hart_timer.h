/*
 * hart_timer.h - one hardware timer for all who want to be woken on a hart.
 *
 * The earliest of its callouts and of what the scheduler needs (a quantum, a budget) is what the
 * hardware is set to, and it is written only when that changes: there is no periodic tick.
 */
#ifndef MAZU_HART_TIMER_H
#define MAZU_HART_TIMER_H

#include <mazu/types.h>

/* The earliest moment of this hart may have changed. Interrupts off. */
void hart_timer_update(void);

#endif
