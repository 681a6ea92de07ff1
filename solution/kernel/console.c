/*
 * The console: whoever prints on one side, one device on the other.
 *
 * The firmware's console serves until a driver takes over, because it needs nothing of ours. It
 * costs some 300 instructions a byte, so that is soon.
 *
 * Output is a ring, too. Text comes into it in chunks, each with one short hold of the lock, so lines of
 * different tasks do not mix; from there a burst at a time goes to the device, the lock dropped between
 * two. Who writes does that itself as long as the device takes bytes; then it is left to the
 * device's interrupt. A task that is preempted or ended while it does leaves the rest to the next
 * who writes. While the kernel panics nothing of this holds: everything is polled out at once.
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
#include <mazu/task.h>

/* With carriage returns. A line of printk fits; copying it takes a few hundred instructions. */
#define CHUNK 256

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
	.burst = 4,
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
static struct task *input_task; /* written once, at boot: who waits for input */
static bool input_full;		/* interrupts off: the driver waits for input_resume */

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

/* What the device takes now, up to a burst. */
static void output_drain_locked(void)
{
	u32 room, burst = console->burst;
	u8 byte;

	spin_assert_held(&console_lock);
	while (burst && ring_used(&output) && (room = console->room())) {
		output_stuck = false;
		for (room = MIN(room, burst); room && ring_get(&output, &byte); room--, burst--)
			console->send(byte);
	}
}

/*
 * Waits until at most `level` bytes are queued; once for a device that does not move. Interrupts
 * that were on before the lock was taken (`irqs`) get their turn between polls.
 */
static void output_wait_locked(u32 level, bool irqs)
{
	u32 polls = output_stuck ? 1 : OUTPUT_POLLS_MAX;

	for (u32 used; (used = ring_used(&output)) > level && polls; polls--) {
		output_drain_locked();
		if (ring_used(&output) < used)
			polls = OUTPUT_POLLS_MAX;
		if (irqs) {
			spin_unlock_irqrestore(&console_lock, irqs);
			spin_lock_irqsave(&console_lock);
		}
	}
	output_stuck = ring_used(&output) > level;
}

static void chunk_write(struct byte_view chunk)
{
	bool irqs = spin_lock_irqsave(&console_lock);

	if (unlikely(ring_free(&output) < chunk.len))
		output_wait_locked(output.capacity - (u32)chunk.len, irqs);
	ring_write(&output, chunk);
	spin_unlock_irqrestore(&console_lock, irqs);
}

/* Nobody comes back for the rest: there will be no interrupt for it. */
static bool output_is_urgent(bool irqs)
{
	return panic_in_progress() || (!irqs && !console_has_driver());
}

static void output_send(void)
{
	bool irqs, more;

	do {
		irqs = spin_lock_irqsave(&console_lock);
		output_drain_locked();
		if (unlikely(output_is_urgent(irqs)))
			output_wait_locked(0, false);
		more = irqs && ring_used(&output) && console->room();
		console->want_room(ring_used(&output) && !more);
		spin_unlock_irqrestore(&console_lock, irqs);
	} while (more);
}

/* How many bytes of the text make the next chunk: all, or whole lines, or a piece of a long one. */
static size_t chunk_size(struct byte_view text)
{
	size_t lines = 0, used = 0, i;

	for (i = 0; i < text.len; i++) {
		used += text.data[i] == '\n' ? 2 : 1;
		if (used > CHUNK)
			return lines ? lines : i;
		if (text.data[i] == '\n')
			lines = i + 1;
	}
	return i;
}

void console_write(struct byte_view bytes)
{
	u8 text[CHUNK];

	for (size_t size; bytes.len; bytes.data += size, bytes.len -= size) {
		size_t used = 0;

		size = chunk_size(bytes);
		for (size_t i = 0; i < size; i++) {
			if (bytes.data[i] == '\n')
				text[used++] = '\r';
			text[used++] = bytes.data[i];
		}
		chunk_write((struct byte_view){ text, used });
	}
	output_send();
}

void console_output_ready(void)
{
	output_send();
}

void console_flush(void)
{
	bool irqs = spin_lock_irqsave(&console_lock);

	output_wait_locked(0, irqs);
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
	if (IS_ENABLED(CONFIG_SCHED) && input_task)
		task_unpark(input_task);
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
	if (!got && !IS_ENABLED(CONFIG_SCHED))
		arch_wait_for_interrupt();
	arch_irq_restore(irqs);
	if (!got && IS_ENABLED(CONFIG_SCHED) && task_park())
		task_exit(TASK_KILLED);
	return got;
}

void console_serve(void)
{
	u8 byte;

	if (IS_ENABLED(CONFIG_SCHED))
		input_task = task_current();
	if (reader)
		reader->start();
	for (;;)
		if (console_read(&byte) && reader)
			reader->feed(byte);
}
