/* The stand-in kernel: prints a prompt, and sleeps. Its first instruction is _start: the firmware jumps there. */
#include "standin.h"

__asm__(".text\n.globl _start\n_start: la sp, stack_top\ncall kernel_main\n"
	".bss\n.balign 16\n.skip 8192\nstack_top:\n.text\n");

void say(const char *text)
{
	while (*text)
		*(volatile char *)0x10000000 = *text++;
}

void leave(int status)
{
	*(volatile int *)0x100000 = status << 16 | 0x3333;
	for (;;)
		;
}

void todo(const char *text)
{
	say(text);
	leave(1);
}

__attribute__((noipa)) void idle(void)
{
	for (;;)
		__asm__ volatile("wfi");
}

void kernel_main(void)
{
	twice(2);
	say("mazu> ");
	idle();
}
