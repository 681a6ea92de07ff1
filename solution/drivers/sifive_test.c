/*
 * The test device: one register that ends QEMU with an exit status, or resets the machine.
 *
 * Source: Linux's binding sifive,test; QEMU's hw/misc/sifive_test.c for the values.
 */
#include <mazu/board.h>
#include <mazu/init.h>
#include <mazu/mmio.h>
#include <mazu/power.h>

#define TEST_PASS 0x5555
#define TEST_FAIL 0x3333 /* with the status in the upper half */
#define TEST_RESET 0x7777

static void test_off(u8 status)
{
	mmio_write32(board.test.reg.base, status ? (u32)status << 16 | TEST_FAIL : TEST_PASS);
}

static void test_reboot(void)
{
	mmio_write32(board.test.reg.base, TEST_RESET);
}

static const struct power_ops test_device = { STR("sifive-test"), test_off, test_reboot };

static void test_init(void)
{
	if (board.test.present)
		power_register(&test_device);
}
INIT_HOOK(EARLY, test_init);
