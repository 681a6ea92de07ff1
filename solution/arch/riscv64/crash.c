/*
 * Faults of the hart and of its stack, on purpose: see crash.h.
 */
#include <arch/cpu.h>
#include <arch/trap.h>
#include <mazu/crash.h>
#include <mazu/panic.h>
#include <mazu/power.h>

/* An address with nothing behind it, which the compiler must not know. */
static volatile uptr nowhere = 0x10;

CRASH_KIND(crash_null_call, "null-call", "call a null function pointer")
{
	void (*function)(void) = (void (*)(void))(nowhere - 0x10);

	function();
	barrier();
}

CRASH_KIND(crash_bad_load, "bad-load", "load where there is no memory")
{
	*(volatile u64 *)(nowhere + 0x3000000000);
}

CRASH_KIND(crash_bad_store, "bad-store", "store where there is no memory")
{
	*(volatile u64 *)(nowhere + 0x3000000000) = 1;
}

CRASH_KIND(crash_misaligned, "misaligned", "lr.w at an odd address")
{
	static u32 words[2];
	u32 value;

	__asm__ volatile("lr.w %0, (%1)" : "=r"(value) : "r"((uptr)words + 1) : "memory");
}

CRASH_KIND(crash_illegal, "illegal", "illegal instruction")
{
	__asm__ volatile(".word 0");
}

CRASH_KIND(crash_breakpoint, "breakpoint", "ebreak that nobody expects")
{
	arch_breakpoint();
}

/* One word too many: the one that holds the canary. */
CRASH_KIND(crash_smash, "smash", "overrun an array on the stack")
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

CRASH_KIND(crash_recursion, "recursion", "recurse without end")
{
	nowhere += crash_recurse(0);
}

CRASH_KIND(crash_panic, "panic", "panic")
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

CRASH_KIND(crash_double, "double", "panic inside a panic")
{
	static const struct power_ops broken_power = { STR("broken"), crash_power_off, NULL };

	real_power = power_register(&broken_power);
	panic("the first of two");
}

CRASH_KIND(crash_assert, "assert", "failed assertion")
{
	ASSERT(nowhere == 0);
}

/* In user mode, where the kernel's stop register is out of reach. */
static __attribute__((naked, noreturn)) void crash_in_user_mode(void)
{
	__asm__ volatile("csrr zero, sstatus");
}

CRASH_KIND(crash_user, "user", "privileged instruction in user mode")
{
	arch_irq_save();
	arch_user_call((uptr)crash_in_user_mode, 0, 0);
}
