/*
 * Stage 1's figures: a trap, a device interrupt, a line of the log.
 *
 * Limits are in grader/bench_limits.toml; what the peers need is in docs/performance.md.
 */
#include <arch/cpu.h>
#include <arch/trap.h>
#include <mazu/bench.h>
#include <mazu/board.h>
#include <mazu/irq.h>
#include <mazu/mmio.h>
#include <mazu/printk.h>

/* ---- trap_roundtrip: ebreak, to its handler and back ---- */

static bool skip_breakpoint(struct trap_frame *frame)
{
	frame->pc += 4;
	return true;
}

static void breakpoint_begin(void)
{
	trap_set_breakpoint(skip_breakpoint);
}

static void breakpoint_end(void)
{
	trap_set_breakpoint(NULL);
}

BENCHMARK(trap_roundtrip, breakpoint_begin, breakpoint_end)
{
	arch_breakpoint();
	return 0;
}

/* ---- irq_to_handler: the store that raises the UART's interrupt, to the handler ---- */

#define UART_IER 1
#define UART_IIR 2
#define IER_TRANSMIT_EMPTY 2

static u64 handler_cycles; /* when the handler began */

static bool uart_handler(void *arg)
{
	handler_cycles = arch_cycles();
	(void)arg;
	mmio_write8(board.uart.reg.base + ((uptr)UART_IER << board.uart_shift), 0);
	mmio_read8(board.uart.reg.base + ((uptr)UART_IIR << board.uart_shift));
	return true;
}

/* Takes the UART's interrupt from its driver; the last lines go out by polling. */
static void uart_begin(void)
{
	free_irq(board.uart.irq);
	if (request_irq(board.uart.irq, uart_handler, NULL, STR("bench")))
		pr_err("bench: no UART interrupt");
}

/* From the instruction after the store: it is the second after the counter was read. */
BENCHMARK(irq_to_handler, uart_begin, NULL)
{
	u64 before = arch_cycles();

	mmio_write8(board.uart.reg.base + ((uptr)UART_IER << board.uart_shift), IER_TRANSMIT_EMPTY);
	return handler_cycles - (before + 2);
}

/* ---- printk_line: sixty characters into the log, not to the console ---- */

BENCHMARK(printk_line, NULL, NULL)
{
	pr_trace("bench: %4u of the lines of sixty characters that go to klog", 1234);
	return 0;
}
