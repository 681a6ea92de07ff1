/*
 * canary.h - the stack protector's secret.
 */
#ifndef MAZU_CANARY_H
#define MAZU_CANARY_H

/*
 * Chooses it from what the device tree and the counters offer. Once, early, from a function
 * that never returns: everything below it on the stack is checked against the old value.
 */
#ifdef CONFIG_STACKPROTECTOR
void canary_init(void);
#else
static inline void canary_init(void)
{
}
#endif

#endif
