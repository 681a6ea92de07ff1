/*
 * Power off and reboot: the platform's device first, because it alone can hand QEMU an exit
 * status; then the firmware; then nothing is left but to sleep.
 */
#include <arch/cpu.h>
#include <arch/firmware.h>
#include <mazu/console.h>
#include <mazu/power.h>
#include <mazu/smp.h>

static const struct power_ops *power; /* written once, at boot */

const struct power_ops *power_register(const struct power_ops *ops)
{
	const struct power_ops *previous = power;

	power = ops;
	return previous;
}

static void power_sleep(void) __noreturn;
static void power_sleep(void)
{
	for (;;)
		arch_wait_for_interrupt();
}

/* The others do nothing any more; only one hart gets past this. */
static void power_alone(void)
{
	arch_irq_save();
	if (IS_ENABLED(CONFIG_SMP) && !harts_stop_others())
		hart_stop(NULL);
}

void power_off(u8 status)
{
	power_alone();
	console_flush();
	if (power)
		power->off(status);
	firmware_power_off();
	power_sleep();
}

void power_reboot(void)
{
	power_alone();
	console_flush();
	if (power)
		power->reboot();
	firmware_reboot();
	power_sleep();
}
