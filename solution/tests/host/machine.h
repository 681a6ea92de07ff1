/*
 * machine.h - a small machine for kernel code on the host: memory, a board, and a panic that a test can
 * survive.
 *
 * Its memory lies where the machine's lies as far as the code can tell: low, with the firmware's
 * part, then the image, then the rest. It is booted once for all tests (page_init, kmalloc_init);
 * a test that needs another board forks and boots that in the child.
 */
#ifndef MAZU_TESTS_MACHINE_H
#define MAZU_TESTS_MACHINE_H

#include <mazu/str.h>
#include <mazu/types.h>

/* The linker is told the same numbers (run). */
#define MACHINE_MEMORY 0x20000000UL
#define MACHINE_IMAGE 0x20200000UL /* _kernel_start */
#define MACHINE_IMAGE_END 0x20300000UL
#define MACHINE_SIZE (32UL << 20) /* what is there; a board may claim more */

/* True: every address answers when the boot asks whether it is memory. Nobody must use any then. */
extern bool machine_answers_everywhere;

/* Fills `board` with the usual board: all memory, the firmware's first 512 KiB reserved. */
void machine_usual_board(void);

/* Memory, the usual board, page_init, kmalloc_init: once, before any test. */
void machine_start(void);

/* Its clock, 10 MHz, and a queue of callouts that a test runs when it moves the clock: once. */
void machine_clock_start(void);

/* page_init once more, for `board` as it is. Whatever was allocated before is gone. */
void machine_boot(void);

/* Calls `body`; whether it panicked. What it said is in machine_panic_text, the log in machine_log. */
bool machine_panics(void (*body)(void *arg), void *arg);
struct str machine_panic_text(void);

/* What was logged since the last machine_log_clear, a line each. */
struct str machine_log(void);
void machine_log_clear(void);
bool machine_log_has(struct str words);

/* Runs `body` in a process of its own; whether it returned true. */
bool machine_child(bool (*body)(void *arg), void *arg);

#endif
