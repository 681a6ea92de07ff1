/*
 * The Goldfish real-time clock: nanoseconds since 1970 in two registers.
 *
 * Reading the low half latches the high half, so low comes first.
 *
 * Source: Android emulator, docs/GOLDFISH-VIRTUAL-HARDWARE.TXT, section VIII.
 */
#include <mazu/board.h>
#include <mazu/init.h>
#include <mazu/mmio.h>
#include <mazu/time.h>

#define RTC_TIME_LOW 0x00
#define RTC_TIME_HIGH 0x04

static u64 rtc_read_ns(void)
{
	u64 low = mmio_read32(board.rtc.reg.base + RTC_TIME_LOW);
	u64 high = mmio_read32(board.rtc.reg.base + RTC_TIME_HIGH);

	return high << 32 | low;
}

static const struct rtc_ops goldfish = { STR("goldfish"), rtc_read_ns };

static enum error rtc_init(void)
{
	if (!board.rtc.present)
		return ERR_NODEV;
	rtc_register(&goldfish);
	return OK;
}
INIT_TASK(rtc, rtc_init);
