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
 *	the first task		from stage 3 on there are tasks: what ran so far is the idle task, and
 *				the rest of the boot is a task like any other
 *	init tasks		the kernel's map (paging is on from there), drivers and services, in
 *				the order that their needs dictate
 *	LATE hooks		self-tests and benchmarks, when they were asked for
 *	console			input to the shell, for ever
 */
#include <arch/cpu.h>
#include <arch/trap.h>
#include <mazu/board.h>
#include <mazu/bootargs.h>
#include <mazu/canary.h>
#include <mazu/console.h>
#include <mazu/init.h>
#include <mazu/latency.h>
#include <mazu/panic.h>
#include <mazu/pcpu.h>
#include <mazu/preempt.h>
#include <mazu/printk.h>
#include <mazu/task.h>
#include <mazu/time.h>

void kernel_main(u64 hart_id, uptr device_tree, u64 entry_cycles) __noreturn;

/* Priority 0 is an ordinary task. */
static const struct sched_params shell_params = {
	.policy = CONFIG_SHELL_PRIORITY ? SCHED_FIFO : SCHED_OTHER,
	.priority = CONFIG_SHELL_PRIORITY,
};

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

static u64 console_main(void *unused)
{
	(void)unused;
	console_serve();
}

/* A task of the boot's own; it belongs to nobody. */
static void start(struct str name, struct sched_params params, u64 (*entry)(void *arg))
{
	struct task_attributes attributes = {
		.name = name, .params = params, .detached = true, .essential = true
	};
	struct result_task task = task_create(&attributes, entry, NULL);

	if (task.err)
		panic("no memory for the first tasks");
}

/* The rest of the boot, once the kernel's core stands. */
static u64 kernel_start(void *unused)
{
	(void)unused;
	init_run_tasks();
	init_run_hooks(INIT_LATE);
	if (IS_ENABLED(CONFIG_SCHED))
		start(STR("shell"), shell_params, console_main);
	return 0;
}

/* The same in a task; who began here is idle from now on. */
static __noreturn void tasks_begin(void)
{
	start(STR("init"), (struct sched_params){ .policy = SCHED_FIFO }, kernel_start);
	task_idle();
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
	if (IS_ENABLED(CONFIG_SCHED))
		tasks_begin();
	kernel_start(NULL);
	console_serve();
}
