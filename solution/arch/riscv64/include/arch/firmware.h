/*
 * firmware.h - what every machine's firmware can do for a kernel that has no drivers yet.
 */
#ifndef ARCH_FIRMWARE_H
#define ARCH_FIRMWARE_H

#include <mazu/types.h>

/* The firmware's own console: slow, but there from the first instruction on. */
void firmware_putchar(u8 byte);
/* The next byte of console input, or -1 when there is none. */
int firmware_getchar(void);

/* Return only when the firmware cannot. */
void firmware_power_off(void);
void firmware_reboot(void);

#endif
