/*
 * power.h - ending, with a status, and beginning anew.
 *
 * A platform driver may register a way to do it; the firmware's is tried when there is none, or
 * when the driver's did not work.
 */
#ifndef MAZU_POWER_H
#define MAZU_POWER_H

#include <mazu/str.h>
#include <mazu/types.h>

struct power_ops {
	struct str name;
	/* Each returns only when it could not. */
	void (*off)(u8 status);
	void (*reboot)(void);
};

/* Returns the one before, or NULL. */
const struct power_ops *power_register(const struct power_ops *ops);

/* Ends QEMU with that exit status where the machine can say it, else with 0. Any context. */
void power_off(u8 status) __noreturn;
void power_reboot(void) __noreturn;

#endif
