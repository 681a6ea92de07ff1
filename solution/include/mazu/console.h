/*
 * console.h - the terminal that a person sits at.
 *
 * One device at a time is the console; it is one operations table. Before there is a driver,
 * output goes through the firmware. Output is queued for an interrupt-driven device; a full queue
 * waits for the device, for as long as a device may take that works. Input comes from the driver byte by byte into a
 * ring; a driver that is told "full" leaves the rest in its device until it is asked again.
 */
#ifndef MAZU_CONSOLE_H
#define MAZU_CONSOLE_H

#include <mazu/bytes.h>
#include <mazu/error.h>
#include <mazu/str.h>
#include <mazu/types.h>
#include <stdarg.h>

struct console_ops {
	struct str name;
	/* How many bytes may go to it with interrupts off: what takes about a thousand instructions. */
	u32 burst;
	/* How many bytes the device takes now, without waiting. */
	u32 (*room)(void);
	/* Gives it one of them. */
	void (*send)(u8 byte);
	/* Whether to interrupt when there is room again: then call console_output_ready. */
	void (*want_room)(bool wanted);
	/* The input ring has room again. Interrupts off. */
	void (*input_resume)(void);
};

/* Who gets the input; one at a time. Called by console_serve, interrupts on. */
struct console_reader {
	void (*start)(void);
	void (*feed)(u8 byte);
};

void console_set(const struct console_ops *ops);
/* Returns the one before, or NULL. */
const struct console_reader *console_set_reader(const struct console_reader *reader);

/*
 * Any context. A newline gets its carriage return on the way. Text of up to 250 bytes comes out in one
 * piece; of longer text, the lines do that are no longer, but other tasks' lines may come between. With
 * interrupts on they are never off for longer than about 1500 instructions, and a full queue
 * is waited for with interrupts on.
 */
void console_write(struct byte_view bytes);
/* The same for text of at most 512 bytes; the rest is cut. */
void console_printf(const char *format, ...) __printf(1, 2);
void console_printf_v(const char *format, va_list args) __printf(1, 0);

/*
 * From the driver's interrupt handler. Without room it keeps what it has, until input_resume;
 * a byte given all the same is lost and counted.
 */
bool console_input_room(void);
void console_input(u8 byte);

/* Whether anything better than the firmware took over. */
bool console_has_driver(void);

/* From the driver's interrupt handler: there is room in the device. */
void console_output_ready(void);

/* Waits until everything written has left the machine. Interrupts on or off. */
void console_flush(void);

/* Gives input to the reader, for ever; sleeps between. The boot hart's last call. */
void console_serve(void) __noreturn;

#endif
