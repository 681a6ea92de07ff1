/*
 * The descriptor table, on an interrupt that no device raises.
 */
#include <mazu/board.h>
#include <mazu/irq.h>
#include <mazu/selftest.h>

#define UNUSED_IRQ 90

static bool never(void *arg)
{
	(void)arg;
	return false;
}

SELFTEST(irq_request_and_free, "an interrupt can be taken, is then busy, and can be given back")
{
	REQUIRE(t, request_irq(UNUSED_IRQ, never, NULL, STR("test")) == OK);
	CHECK_EQ(t, request_irq(UNUSED_IRQ, never, NULL, STR("other")), ERR_BUSY);
	CHECK_EQ(t, free_irq(UNUSED_IRQ), OK);
	CHECK_EQ(t, free_irq(UNUSED_IRQ), ERR_NOENT);
	CHECK_EQ(t, request_irq(UNUSED_IRQ, never, NULL, STR("other")), OK);
	CHECK_EQ(t, free_irq(UNUSED_IRQ), OK);
}

SELFTEST(irq_refuses_nonsense, "numbers out of range and a missing handler are errors")
{
	CHECK_EQ(t, request_irq(0, never, NULL, STR("test")), ERR_RANGE);
	CHECK_EQ(t, request_irq(IRQ_COUNT, never, NULL, STR("test")), ERR_RANGE);
	CHECK_EQ(t, request_irq(UINT32_MAX, never, NULL, STR("test")), ERR_RANGE);
	CHECK_EQ(t, request_irq(board.plic_sources + 1, never, NULL, STR("test")), ERR_RANGE);
	CHECK_EQ(t, request_irq(UNUSED_IRQ, NULL, NULL, STR("test")), ERR_INVAL);
	CHECK_EQ(t, free_irq(0), ERR_RANGE);
	CHECK_EQ(t, free_irq(IRQ_COUNT), ERR_RANGE);
}

SELFTEST(irq_affinity_checked, "an empty mask and a mask of harts that are not there are refused")
{
	REQUIRE(t, request_irq(UNUSED_IRQ, never, NULL, STR("test")) == OK);
	CHECK_EQ(t, irq_set_affinity(UNUSED_IRQ, 0), ERR_INVAL);
	CHECK_EQ(t, irq_set_affinity(UNUSED_IRQ, 1UL << 63), ERR_NODEV);
	CHECK_EQ(t, irq_set_affinity(UNUSED_IRQ, 1), OK);
	CHECK_EQ(t, free_irq(UNUSED_IRQ), OK);
}

SELFTEST(irq_uart_counts, "the console's own interrupt is counted at hart 0")
{
	struct irq_statistics s = { 0 };

	REQUIRE(t, board.uart.present);
	REQUIRE(t, irq_statistics(board.uart.irq, &s) == OK);
	CHECK_STR_EQ(t, s.name, STR("uart"));
	CHECK_EQ(t, s.affinity, 1);
	CHECK(t, !s.stopped);
}
