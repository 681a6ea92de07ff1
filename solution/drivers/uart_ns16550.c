/*
 * The 16550 UART, interrupt-driven both ways.
 *
 * Sending: the console asks how much room there is, which is the whole FIFO when the chip says that
 * its holding register is empty and nothing otherwise; for more it asks to be interrupted
 * when it is empty again. Receiving: the handler empties the FIFO into the console's ring. When
 * that is full it stops taking interrupts for input and leaves the bytes where they are, so
 * that the chip, and whatever stands behind it, holds the sender back.
 *
 * The handler reads the line status itself instead of believing the interrupt identification,
 * which names only the most urgent cause. Both directions are bounded by FIFO_SIZE bytes a call.
 * Line speed and format are the firmware's choice and stay as they are.
 *
 * Source: PC16550D datasheet (National Semiconductor, 1995), section 8.
 */
#include <mazu/board.h>
#include <mazu/console.h>
#include <mazu/init.h>
#include <mazu/irq.h>
#include <mazu/mmio.h>
#include <mazu/printk.h>

enum uart_register { UART_DATA = 0, UART_IER = 1, UART_IIR = 2, UART_FCR = 2, UART_LSR = 5 };

#define IER_RECEIVED 0x01
#define IER_TRANSMIT_EMPTY 0x02
#define IIR_NONE 0x01
#define FCR_ENABLE 0x01
#define LSR_RECEIVED 0x01
#define LSR_TRANSMIT_EMPTY 0x20

#define FIFO_SIZE 16

static uptr uart; /* written once, at boot, like the next */
static u32 shift;
static u8 ier; /* interrupts off: what IER holds */

static u8 uart_read(enum uart_register reg)
{
	return mmio_read8(uart + ((uptr)reg << shift));
}

static void uart_write(enum uart_register reg, u8 value)
{
	mmio_write8(uart + ((uptr)reg << shift), value);
}

static void uart_set_interrupts(u8 wanted)
{
	if (ier == wanted)
		return;
	ier = wanted;
	uart_write(UART_IER, ier);
}

static u32 uart_room(void)
{
	return uart_read(UART_LSR) & LSR_TRANSMIT_EMPTY ? FIFO_SIZE : 0;
}

static void uart_send(u8 byte)
{
	uart_write(UART_DATA, byte);
}

static void uart_want_room(bool wanted)
{
	uart_set_interrupts(wanted ? ier | IER_TRANSMIT_EMPTY : ier & ~IER_TRANSMIT_EMPTY);
}

static void uart_input_resume(void)
{
	uart_set_interrupts(ier | IER_RECEIVED);
}

/* Byte by byte: a byte is read only when the ring has room for it. Returns whether one came. */
static bool uart_receive(void)
{
	u32 i;

	for (i = 0; i < FIFO_SIZE; i++) {
		if (!(uart_read(UART_LSR) & LSR_RECEIVED))
			break;
		if (!console_input_room()) {
			uart_set_interrupts(ier & ~IER_RECEIVED);
			break;
		}
		console_input(uart_read(UART_DATA));
	}
	return i != 0;
}

static bool uart_interrupt(void *arg)
{
	bool ours = !(uart_read(UART_IIR) & IIR_NONE);

	(void)arg;
	ours |= uart_receive();
	if (ier & IER_TRANSMIT_EMPTY)
		console_output_ready();
	return ours;
}

static const struct console_ops uart_console = {
	.name = STR("ns16550a"),
	.burst = 2 * FIFO_SIZE,
	.room = uart_room,
	.send = uart_send,
	.want_room = uart_want_room,
	.input_resume = uart_input_resume,
};

static enum error uart_init(void)
{
	enum error err;

	if (!board.uart.present || board.uart.reg.size < 8UL << board.uart_shift)
		return ERR_NODEV;
	uart = board.uart.reg.base;
	shift = board.uart_shift;
	uart_write(UART_IER, 0);
	uart_write(UART_FCR, FCR_ENABLE); /* what was typed already stays */
	err = request_irq(board.uart.irq, uart_interrupt, NULL, STR("uart"));
	if (err)
		return err;
	console_set(&uart_console);
	uart_set_interrupts(IER_RECEIVED);
	pr_debug("uart: ns16550a at 0x%lx, irq %u", board.uart.reg.base, board.uart.irq);
	return OK;
}
INIT_TASK(uart, uart_init, "plic");
