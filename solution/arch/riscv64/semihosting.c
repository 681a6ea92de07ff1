/*
 * Semihosting: ending QEMU with a status where no test device can (CONFIG_SEMIHOSTING).
 *
 * A call is a breakpoint between two no-ops that a debugger or an emulator recognises. Where
 * nobody listens it traps like any other breakpoint: that is how its presence is found out, with
 * a question that changes nothing. Never enable it for code that is not yours: the same door lets
 * a guest run commands on the host.
 *
 * Source: RISC-V Semihosting 1.0; Arm's Semihosting 3.2 for the operations.
 */
#include <arch/trap.h>
#include <mazu/init.h>
#include <mazu/power.h>
#include <mazu/printk.h>

#define SYS_ERRNO 0x13
#define SYS_EXIT_EXTENDED 0x20
#define ADP_STOPPED_APPLICATION_EXIT 0x20026

static bool absent;

static __attribute__((noinline)) u64 semihosting_call(u64 operation, const void *argument)
{
	register u64 a0 __asm__("a0") = operation;
	register const void *a1 __asm__("a1") = argument;

	/* The three instructions may not lie on two pages. */
	__asm__ volatile(".option push\n .option norvc\n .balign 16\n"
			 "slli zero, zero, 0x1f\n ebreak\n srai zero, zero, 7\n .option pop"
			 : "+r"(a0)
			 : "r"(a1)
			 : "memory");
	return a0;
}

static bool nobody_listens(struct trap_frame *frame)
{
	absent = true;
	frame->pc += 4;
	return true;
}

static void semihosting_off(u8 status)
{
	const u64 block[] = { ADP_STOPPED_APPLICATION_EXIT, status };

	semihosting_call(SYS_EXIT_EXTENDED, block);
}

static void semihosting_reboot(void)
{
}

static const struct power_ops semihosting = {
	STR("semihosting"),
	semihosting_off,
	semihosting_reboot,
};

/* After EARLY, so that a test device has registered itself and is preferred. */
static void semihosting_init(void)
{
	trap_handler *previous = trap_set_breakpoint(nobody_listens);
	const struct power_ops *better;

	semihosting_call(SYS_ERRNO, NULL);
	trap_set_breakpoint(previous);
	if (absent)
		return;
	pr_info("semihosting: present");
	better = power_register(&semihosting);
	if (better)
		power_register(better);
}
INIT_HOOK(CORE, semihosting_init);
