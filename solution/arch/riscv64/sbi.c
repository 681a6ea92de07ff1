/*
 * SBI calls: one ecall, arguments in a0..a5, function in a6, extension in a7,
 * error and value back in a0 and a1. A call costs 260 to 440 instructions in the
 * firmware, so nothing on a hot path makes one where the hart can do it itself.
 */
#include <arch/firmware.h>
#include <arch/sbi.h>

#define SBI_EID_BASE 0x10
#define SBI_EID_TIME 0x54494D45
#define SBI_EID_IPI 0x735049
#define SBI_EID_RFENCE 0x52464E43
#define SBI_EID_HSM 0x48534D
#define SBI_EID_SRST 0x53525354
#define SBI_EID_LEGACY_PUTCHAR 1
#define SBI_EID_LEGACY_GETCHAR 2

enum sbi_srst { SRST_SHUTDOWN = 0, SRST_COLD_REBOOT = 1 };
enum sbi_hsm { HSM_START = 0 };
enum sbi_rfence { RFENCE_VMA = 1, RFENCE_VMA_ASID = 2 };
enum sbi_base { BASE_SPEC = 0, BASE_IMPL = 1, BASE_IMPL_VERSION = 2, BASE_PROBE = 3 };

struct sbi_return {
	long error;
	long value;
};

static struct sbi_return sbi_call_5(u64 extension, u64 function, u64 arg0, u64 arg1, u64 arg2,
				    u64 arg3, u64 arg4)
{
	register u64 a0 __asm__("a0") = arg0;
	register u64 a1 __asm__("a1") = arg1;
	register u64 a2 __asm__("a2") = arg2;
	register u64 a3 __asm__("a3") = arg3;
	register u64 a4 __asm__("a4") = arg4;
	register u64 a6 __asm__("a6") = function;
	register u64 a7 __asm__("a7") = extension;

	__asm__ volatile("ecall"
			 : "+r"(a0), "+r"(a1)
			 : "r"(a2), "r"(a3), "r"(a4), "r"(a6), "r"(a7)
			 : "memory");
	return (struct sbi_return){ .error = (long)a0, .value = (long)a1 };
}

static struct sbi_return sbi_call(u64 extension, u64 function, u64 arg0, u64 arg1)
{
	return sbi_call_5(extension, function, arg0, arg1, 0, 0, 0);
}

static u64 sbi_base(enum sbi_base function, u64 arg)
{
	struct sbi_return answer = sbi_call(SBI_EID_BASE, function, arg, 0);

	return answer.error ? 0 : (u64)answer.value;
}

void sbi_identify(struct sbi_info *info)
{
	info->spec_version = sbi_base(BASE_SPEC, 0);
	info->implementation = sbi_base(BASE_IMPL, 0);
	info->implementation_version = sbi_base(BASE_IMPL_VERSION, 0);
}

bool sbi_has_time(void)
{
	return sbi_base(BASE_PROBE, SBI_EID_TIME) != 0;
}

void sbi_set_timer(u64 deadline_ticks)
{
	sbi_call(SBI_EID_TIME, 0, deadline_ticks, 0);
}

/* ---- Other harts: bit n of `mask` is hart `base` + n ---- */

bool sbi_has_harts(void)
{
	return sbi_base(BASE_PROBE, SBI_EID_HSM) && sbi_base(BASE_PROBE, SBI_EID_IPI) &&
	       sbi_base(BASE_PROBE, SBI_EID_RFENCE);
}

long sbi_hart_start(u64 hart_id, u64 entry, u64 opaque)
{
	return sbi_call_5(SBI_EID_HSM, HSM_START, hart_id, entry, opaque, 0, 0).error;
}

void sbi_send_ipi(u64 mask, u64 base)
{
	sbi_call(SBI_EID_IPI, 0, mask, base);
}

void sbi_remote_flush(u64 mask, u64 base, u64 start, u64 size, u16 asid)
{
	sbi_call_5(SBI_EID_RFENCE, asid ? RFENCE_VMA_ASID : RFENCE_VMA, mask, base, start, size,
		   asid);
}

/* ---- Console and power ---- */

void firmware_putchar(u8 byte)
{
	sbi_call(SBI_EID_LEGACY_PUTCHAR, 0, byte, 0);
}

int firmware_getchar(void)
{
	return (int)sbi_call(SBI_EID_LEGACY_GETCHAR, 0, 0, 0).error;
}

void firmware_power_off(void)
{
	sbi_call(SBI_EID_SRST, 0, SRST_SHUTDOWN, 0);
}

void firmware_reboot(void)
{
	sbi_call(SBI_EID_SRST, 0, SRST_COLD_REBOOT, 0);
}
