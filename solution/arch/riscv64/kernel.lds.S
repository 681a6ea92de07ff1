/*
 * Where everything lies.
 *
 * The firmware owns the first 2 MiB of RAM and jumps to the image's lowest
 * address behind them, so that is where _start must be. The stacks come next,
 * each above a guard page: before paging is on, a runaway recursion grows over
 * boot code that has done its work, then into memory that nobody uses yet, and
 * ends in the firmware's protected part, instead of eating the kernel's own data.
 * Once it is on, the guard page ends it at once.
 *
 * Tables are gathered from all object files between __start_X and __stop_X; the
 * symbol table stands behind .text, so that writing it (the second link) moves
 * no function. __global_pointer$ is left undefined on purpose: gp holds the
 * hart's data, and the linker must not relax through it.
 */
#include <arch/layout.h>

#define KERNEL_BASE 0x80200000
#define TABLE(name)                             \
	. = ALIGN(8);                           \
	__start_##name = .;                     \
	KEEP(*(SORT_BY_NAME(name) SORT_BY_NAME(name.*))) \
	__stop_##name = .;

OUTPUT_ARCH(riscv)
ENTRY(_start)

PHDRS
{
	head PT_LOAD FLAGS(5);
	stacks PT_LOAD FLAGS(6);
	text PT_LOAD FLAGS(5);
	rodata PT_LOAD FLAGS(4);
	data PT_LOAD FLAGS(6);
}

SECTIONS
{
	. = KERNEL_BASE;
	_kernel_start = .;
	.head : {
		*(.text.entry)
	} :head

	. = ALIGN(0x1000);
	.stacks (NOLOAD) : {
		boot_stack = .;
		. += STACK_SIZE;
		boot_stack_top = .;
		emergency_stack = .;
		. += STACK_SIZE;
		emergency_stack_top = .;
		idle_stack = .;
		. += STACK_SIZE;
		idle_stack_top = .;
	} :stacks

	. = ALIGN(0x1000);
	.text : {
		_text_start = .;
		*(.text .text.*)
		_text_end = .;
	} :text

	. = ALIGN(0x1000);
	.rodata : {
		_rodata_start = .;
		*(.rodata .rodata.* .srodata .srodata.*)
		TABLE(trap_fixups)
		TABLE(init_hooks)
		TABLE(init_tasks)
		TABLE(shell_commands)
		TABLE(selftests)
		TABLE(benchmarks)
		TABLE(crash_kinds)
		*(.symtab_kernel)
		_rodata_end = .;
	} :rodata

	. = ALIGN(0x1000);
	.data : {
		_data_start = .;
		*(.data .data.* .sdata .sdata.*)
		_data_end = .;
	} :data

	.bss : {
		. = ALIGN(8);
		_bss_start = .;
		*(.bss .bss.* .sbss .sbss.* COMMON)
		. = ALIGN(8);
		_bss_end = .;
	} :data
	_kernel_end = .;

	/DISCARD/ : {
		*(.comment .note .note.* .eh_frame .eh_frame_hdr .riscv.attributes)
	}
}
