/*
 * The host's machine: see machine.h. Everything that the allocators ask of the rest of the kernel
 * is here, in its simplest form.
 */
#define _GNU_SOURCE /* memmem, MAP_FIXED_NOREPLACE */

#include "machine.h"

#include "../../kernel/mm/page_internal.h"

#include <arch/backtrace.h>
#include <arch/cpu.h>
#include <arch/trap.h>
#include <mazu/board.h>
#include <mazu/kmalloc.h>
#include <mazu/memmap.h>
#include <mazu/panic.h>
#include <mazu/pcpu.h>
#include <mazu/printk.h>
#include <mazu/symbols.h>

#include <execinfo.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

struct board board;
struct pcpu pcpus[CONFIG_CPU_MAX];
struct pcpu *const host_cpu = &pcpus[0];
bool host_irqs = true;
u64 host_ticks;

/* ---- Messages ---- */

static char log_text[16384];
static size_t log_len;

void printk_v(enum printk_level level, const char *format, va_list args)
{
	size_t room = sizeof(log_text) - log_len;
	int len = vsnprintf(log_text + log_len, room, format, args);

	(void)level;
	log_len += MIN((size_t)len, room - 1);
	if (log_len < sizeof(log_text) - 1)
		log_text[log_len++] = '\n';
}

void printk(enum printk_level level, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	printk_v(level, format, args);
	va_end(args);
}

struct str machine_log(void)
{
	return (struct str){ log_text, log_len };
}

void machine_log_clear(void)
{
	log_len = 0;
}

bool machine_log_has(struct str words)
{
	return memmem(log_text, log_len, words.data, words.len) != NULL;
}

/* ---- Panic ---- */

void panic_explain(void (*print)(void))
{
	(void)print;
}

static jmp_buf panic_target;
static bool panic_expected, panicking;
static char panic_words[256];

bool panic_in_progress(void)
{
	return panicking;
}

static __noreturn __printf(1, 0) void panic_v(const char *format, va_list args)
{
	vsnprintf(panic_words, sizeof(panic_words), format, args);
	if (panic_expected)
		longjmp(panic_target, 1);
	fprintf(stderr, "%.*sPANIC: %s\n", (int)log_len, log_text, panic_words);
	abort();
}

void panic(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	panic_v(format, args);
}

void panic_from(uptr caller, const char *format, ...)
{
	va_list args;

	(void)caller;
	va_start(args, format);
	panic_v(format, args);
}

bool machine_panics(void (*body)(void *arg), void *arg)
{
	bool irqs = host_irqs;
	u32 locks = host_cpu->lock_count;
	volatile bool panicked = false;

	panic_expected = true;
	panic_words[0] = 0;
	if (setjmp(panic_target) == 0)
		body(arg);
	else
		panicked = true;
	panic_expected = false;
	host_irqs = irqs;
	host_cpu->lock_count = locks;
	return panicked;
}

struct str machine_panic_text(void)
{
	return (struct str){ panic_words, strlen(panic_words) };
}

/* ---- Who called whom ---- */

static void *callers[32];
static size_t caller_count;

void backtrace_start(struct backtrace *trace, const struct trap_frame *frame)
{
	(void)frame;
	caller_count = (size_t)backtrace(callers, ARRAY_SIZE(callers));
	*trace = (struct backtrace){ .depth = 0 };
	backtrace_next(trace);
}

void backtrace_next(struct backtrace *trace)
{
	trace->depth++;
	trace->pc = trace->depth < caller_count ? (uptr)callers[trace->depth] : 0;
}

struct symbol symbol_find_return(uptr address)
{
	(void)address;
	return (struct symbol){ .name = STR("somebody") };
}

/* ---- Memory ---- */

bool machine_answers_everywhere;

bool arch_readable(uptr start, size_t size)
{
	if (machine_answers_everywhere)
		return true;
	return start >= MACHINE_MEMORY && size <= MACHINE_SIZE &&
	       start - MACHINE_MEMORY <= MACHINE_SIZE - size;
}

bool arch_keeps_word(uptr address)
{
	return arch_readable(address, sizeof(u32));
}

void arch_page_zero(void *page)
{
	memset(page, 0, PAGE_SIZE);
}

void machine_usual_board(void)
{
	board = (struct board){
		.memory = { .at = { { MACHINE_MEMORY, MACHINE_SIZE } }, .count = 1 },
		.reserved = { .at = { { MACHINE_MEMORY, 512 << 10 } }, .count = 1 },
		.tree = { MACHINE_MEMORY + MACHINE_SIZE - 0x3000, 0x1234 },
		.hart_count = 1,
	};
}

static void memory_make(void)
{
	void *at = (void *)MACHINE_MEMORY;

	if (mmap(at, MACHINE_SIZE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) != at) {
		perror("mmap of the machine's memory");
		exit(2);
	}
	/* as memory is when a machine starts: anything but zero */
	memset(at, 0x7e, MACHINE_SIZE);
}

void machine_boot(void)
{
	((struct memmap *)page_memmap())->count = 0;
	memset(page_caches, 0, sizeof(page_caches));
	page_total = 0;
	page_init();
}

void machine_start(void)
{
	memory_make();
	machine_usual_board();
	machine_boot();
	kmalloc_init();
}

bool machine_child(bool (*body)(void *arg), void *arg)
{
	pid_t child;
	int status;

	fflush(stdout);
	child = fork();
	if (child == 0) {
		bool good = body(arg);

		if (!good)
			printf("# panic: %s; log: %.*s\n", panic_words, (int)log_len, log_text);
		fflush(stdout);
		_exit(good ? 0 : 1);
	}
	return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) &&
	       WEXITSTATUS(status) == 0;
}
