/*
 * The console: whoever prints on one side, one device on the other.
 *
 * The firmware's console serves until a driver takes over, because it needs nothing of ours. It
 * costs some 300 instructions a byte, so that is soon.
 *
 * Input is a ring between the driver's interrupt handler (producer) and console_serve
 * (consumer). When it is full the driver keeps the bytes in its device, whose own flow control
 * holds the sender back, and input_resume wakes it once half the ring is free.
 */
#include <arch/cpu.h>
#include <arch/firmware.h>
#include <mazu/console.h>
#include <mazu/fmt.h>
#include <mazu/panic.h>
#include <mazu/pcpu.h>
#include <mazu/ring.h>
#include <mazu/spinlock.h>

/* Polls of a device that takes nothing before output to it is given up. */
#define OUTPUT_POLLS_MAX 1000000

static u32 firmware_room(void)
{
	return 1;
}

static void firmware_want_room(bool wanted)
{
	(void)wanted;
}

static const struct console_ops firmware_console = {
	.name = STR("firmware"),
	.room = firmware_room,
	.send = firmware_putchar,
	.want_room = firmware_want_room,
};

static struct spinlock console_lock = SPINLOCK_INIT(LOCK_CONSOLE);
static const struct console_ops *console = &firmware_console; /* written once, at boot */
static const struct console_reader *reader;		      /* written once, at boot */

static u8 output_bytes[CONFIG_CONSOLE_OUTPUT_SIZE];
static struct ring output = RING_INIT(output_bytes); /* console_lock, both ends */
static bool output_stuck; /* console_lock: a wait was in vain, and no byte was taken since */

static u8 input_bytes[CONFIG_CONSOLE_INPUT_SIZE];
static struct ring input = RING_INIT(input_bytes);
static bool input_full; /* interrupts off: the driver waits for input_resume */

void console_set(const struct console_ops *ops)
{
	bool irqs = spin_lock_irqsave(&console_lock);

	console = ops;
	spin_unlock_irqrestore(&console_lock, irqs);
}

bool console_has_driver(void)
{
	return console != &firmware_console;
}

const struct console_reader *console_set_reader(const struct console_reader *new_reader)
{
	const struct console_reader *previous = reader;

	reader = new_reader;
	return previous;
}

/* ---- Output ---- */

static void output_drain_locked(void)
{
	u32 room;
	u8 byte;

	spin_assert_held(&console_lock);
	while (ring_used(&output) && (room = console->room())) {
		output_stuck = false;
		for (; room && ring_get(&output, &byte); room--)
			console->send(byte);
	}
}

/* Waits until at most `level` bytes are queued; once for a device that does not move. */
static void output_wait_locked(u32 level)
{
	u32 polls = output_stuck ? 1 : OUTPUT_POLLS_MAX;

	for (; ring_used(&output) > level && polls; polls--)
		output_drain_locked();
	output_stuck = ring_used(&output) > level;
}

static void output_put_locked(u8 byte)
{
	if (ring_used(&output) == output.capacity)
		output_wait_locked(output.capacity - 1);
	ring_put(&output, byte);
}

void console_write(struct byte_view bytes)
{
	bool irqs = spin_lock_irqsave(&console_lock);

	for (size_t i = 0; i < bytes.len; i++) {
		if (bytes.data[i] == '\n')
			output_put_locked('\r');
		output_put_locked(bytes.data[i]);
	}
	output_drain_locked();
	if (panic_in_progress())
		output_wait_locked(0);
	console->want_room(ring_used(&output) != 0);
	spin_unlock_irqrestore(&console_lock, irqs);
}

void console_output_ready(void)
{
	console_write((struct byte_view){ 0 });
}

void console_flush(void)
{
	bool irqs = spin_lock_irqsave(&console_lock);

	output_wait_locked(0);
	spin_unlock_irqrestore(&console_lock, irqs);
}

void console_printf_v(const char *format, va_list args)
{
	u8 text[512];
	struct byte_buf buf = BYTE_BUF(text);

	fmt_v(&buf, format, args);
	console_write(byte_buf_view(&buf));
}

void console_printf(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	console_printf_v(format, args);
	va_end(args);
}

/* ---- Input ---- */

bool console_input_room(void)
{
	input_full = ring_used(&input) == input.capacity;
	return !input_full;
}

void console_input(u8 byte)
{
	ring_put(&input, byte);
}

/* Interrupts are off only for the moment of looking, and for the wait itself. */
static bool console_read(u8 *byte)
{
	bool irqs = arch_irq_save();
	bool got = ring_get(&input, byte);

	if (input_full && ring_used(&input) <= input.capacity / 2 && console->input_resume) {
		input_full = false;
		console->input_resume();
	}
	if (!got)
		arch_wait_for_interrupt();
	arch_irq_restore(irqs);
	return got;
}

void console_serve(void)
{
	u8 byte;

	if (reader)
		reader->start();
	for (;;)
		if (console_read(&byte) && reader)
			reader->feed(byte);
}
