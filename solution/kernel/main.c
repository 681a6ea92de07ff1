/*
 * The boot, from C's first line to the prompt. Read this file first.
 *
 * entry.S brings us here on the boot hart with a stack, a zeroed .bss and the hart's data in gp;
 * interrupts are off, paging is off. From here on each step needs only what the steps before it
 * have set up:
 *
 *	trap vector		so that a mistake is reported instead of looping
 *	device tree		what machine this is; nothing is printed before it
 *	canary			the stack protector gets its secret
 *	clock, first message	the firmware prints it: there is no driver yet
 *	EARLY, CORE hooks	what needs nothing else: physical memory, tables, the timer
 *	tasks			the kernel's map (paging is on from there), drivers and services, in
 *				the order that their needs dictate
 *	the other harts		from here on nobody is alone
 *	LATE hooks		self-tests and benchmarks, when they were asked for
 *	console			input to the shell, for ever
 *
 * From stage 3 on there are tasks when the CORE hooks are done, and this is the first of them, called
 * init; in the end it is the shell. It has the stack that the boot began on, so a machine without any
 * memory to give still gets to its prompt.
 */
#include <arch/cpu.h>
#include <arch/trap.h>
#include <mazu/board.h>
#include <mazu/bootargs.h>
#include <mazu/canary.h>
#include <mazu/console.h>
#include <mazu/init.h>
#include <mazu/latency.h>
#include <mazu/pcpu.h>
#include <mazu/preempt.h>
#include <mazu/printk.h>
#include <mazu/smp.h>
#include <mazu/task.h>
#include <mazu/time.h>

void kernel_main(u64 hart_id, uptr device_tree, u64 entry_cycles) __noreturn;

struct pcpu pcpus[CONFIG_CPU_MAX];

static void pcpu_init(u64 hart_id, u64 entry_cycles)
{
	struct pcpu *cpu = this_cpu();

	cpu->hart_id = hart_id;
	cpu->entry_cycles = entry_cycles;
	cpu->preempt = PREEMPT_QUIET;
	latency_begin(cpu);
}

static void say_hello(void)
{
	printk_set_verbosity((u32)bootargs_number(STR("loglevel"), CONFIG_DEBUG_LEVEL));
	pr_info("Mazu " CONFIG_VERSION ", stage %d", CONFIG_STAGE);
	devtree_report();
}

/* Priority 0 is an ordinary task. */
static const struct sched_params shell_params = {
	.policy = CONFIG_SHELL_PRIORITY ? SCHED_FIFO : SCHED_OTHER,
	.priority = CONFIG_SHELL_PRIORITY,
};

static void become_shell(void)
{
	task_rename(STR("shell"));
	if (IS_ENABLED(CONFIG_SMP) && sched_set_affinity(task_current(), UINT64_MAX))
		pr_err("the shell keeps the hart of the boot");
	if (sched_set(task_current(), &shell_params))
		pr_err("the shell keeps the priority of the boot");
}

void kernel_main(u64 hart_id, uptr device_tree, u64 entry_cycles)
{
	pcpu_init(hart_id, entry_cycles);
	trap_init();
	devtree_read(device_tree, hart_id);
	canary_init();
	time_init(board.timebase_hz);
	say_hello();
	init_run_hooks(INIT_EARLY);
	init_run_hooks(INIT_CORE);
	arch_irq_enable();
	init_run_tasks();
	if (IS_ENABLED(CONFIG_SMP))
		harts_start();
	init_run_hooks(INIT_LATE);
	if (IS_ENABLED(CONFIG_SCHED))
		become_shell();
	console_serve();
}
