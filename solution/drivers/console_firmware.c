/*
 * Console input without a UART: ask the firmware, a hundred times a second.
 *
 * Output goes through the firmware anyway until a driver takes over (console.c). This takes the
 * timer, which nobody else wants at this stage, and only where there is no better way.
 */
#include <arch/firmware.h>
#include <mazu/console.h>
#include <mazu/init.h>
#include <mazu/printk.h>
#include <mazu/time.h>

#define POLL_PERIOD_NS (10 * NS_PER_MS)
#define POLL_BYTES_MAX 16

static void poll(void *arg)
{
	int byte;

	for (u32 i = 0; i < POLL_BYTES_MAX && console_input_room(); i++) {
		byte = firmware_getchar();
		if (byte < 0)
			break;
		console_input((u8)byte);
	}
	timer_arm(time_now_ns() + POLL_PERIOD_NS, poll, arg);
}

/* After every task that might have found a better console. */
static void console_firmware_init(void)
{
	if (console_has_driver())
		return;
	pr_warn("console: no UART; asking the firmware for input");
	poll(NULL);
}
INIT_HOOK(LATE, console_firmware_init);
