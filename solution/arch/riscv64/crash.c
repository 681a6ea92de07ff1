/*
 * Faults on purpose: each kind breaks one rule, in a function of its own whose name should turn up
 * in the report. They are here to be looked at (crash KIND in the shell) and to test that the
 * report is right, so they must survive the optimiser: hence noinline, volatile and assembly.
 */
#include <arch/cpu.h>
#include <arch/crash.h>
#include <arch/trap.h>
#include <mazu/panic.h>
#include <mazu/power.h>

#define PLANT static __attribute__((noinline)) void

/* An address with nothing behind it, which the compiler must not know. */
static volatile uptr nowhere = 0x10;

PLANT crash_null_call(void)
{
	void (*function)(void) = (void (*)(void))(nowhere - 0x10);

	function();
	barrier();
}

PLANT crash_bad_load(void)
{
	*(volatile u64 *)(nowhere + 0x3000000000);
}

PLANT crash_bad_store(void)
{
	*(volatile u64 *)(nowhere + 0x3000000000) = 1;
}

PLANT crash_misaligned(void)
{
	static u32 words[2];
	u32 value;

	__asm__ volatile("lr.w %0, (%1)" : "=r"(value) : "r"((uptr)words + 1) : "memory");
}

PLANT crash_illegal(void)
{
	__asm__ volatile(".word 0");
}

PLANT crash_breakpoint(void)
{
	arch_breakpoint();
}

/* One word too many: the one that holds the canary. */
PLANT crash_smash(void)
{
	u64 words[2];
	u64 *word = words;

	__asm__("" : "+r"(word)); /* the compiler forgets where it points */
	for (size_t i = 0; i < 2 + nowhere / 0x10; i++)
		WRITE_ONCE(word[i], 0x6861636b6564);
}

static __attribute__((noinline)) u64 crash_recurse(u64 depth)
{
	volatile u64 page[16];

	page[depth % 16] = depth;
	return nowhere == 0 ? 0 : crash_recurse(depth + 1) + page[depth % 16];
}

PLANT crash_recursion(void)
{
	nowhere += crash_recurse(0);
}

PLANT crash_panic(void)
{
	panic("on purpose");
}

/* The first panic is reported in full; then stopping the machine panics again. */
static const struct power_ops *real_power;

static void crash_power_off(u8 status)
{
	power_register(real_power);
	panic("the second of two, status %u", status);
}

PLANT crash_double(void)
{
	static const struct power_ops broken_power = { STR("broken"), crash_power_off, NULL };

	real_power = power_register(&broken_power);
	panic("the first of two");
}

PLANT crash_assert(void)
{
	ASSERT(nowhere == 0);
}

/* In user mode, where the kernel's stop register is out of reach. */
static __attribute__((naked, noreturn)) void crash_in_user_mode(void)
{
	__asm__ volatile("csrr zero, sstatus");
}

PLANT crash_user(void)
{
	arch_irq_save();
	arch_user_call((uptr)crash_in_user_mode, 0, 0);
}

const struct crash_kind crash_kinds[] = {
	{ STR("null-call"), STR("call a null function pointer"), crash_null_call },
	{ STR("bad-load"), STR("load where there is no memory"), crash_bad_load },
	{ STR("bad-store"), STR("store where there is no memory"), crash_bad_store },
	{ STR("misaligned"), STR("lr.w at an odd address"), crash_misaligned },
	{ STR("illegal"), STR("illegal instruction"), crash_illegal },
	{ STR("breakpoint"), STR("ebreak that nobody expects"), crash_breakpoint },
	{ STR("smash"), STR("overrun an array on the stack"), crash_smash },
	{ STR("recursion"), STR("recurse without end"), crash_recursion },
	{ STR("panic"), STR("panic"), crash_panic },
	{ STR("double"), STR("panic inside a panic"), crash_double },
	{ STR("assert"), STR("failed assertion"), crash_assert },
	{ STR("user"), STR("privileged instruction in user mode"), crash_user },
};
const size_t crash_kind_count = ARRAY_SIZE(crash_kinds);
