/*
 * The life of a task: made, started, ended, joined or reaped.
 *
 * A task is one allocation and one stack (kstack.h). It is in the tree of all tasks from before it may
 * first run until its memory is given back, so whoever holds tasks_lock may look at each that is there.
 *
 * Nobody can free the stack they stand on. A task that ends becomes DEAD and is switched away
 * from for good; its joiner frees it. One that is detached is put on a list, which the idle task and each
 * new task_create() empty.
 *
 * Number 0 is the idle task, number 1 the context that kernel_main began in. Both are part of the image.
 */
#include <arch/cpu.h>
#include <arch/layout.h>
#include <mazu/init.h>
#include <mazu/kmalloc.h>
#include <mazu/kstack.h>
#include <mazu/mem.h>
#include <mazu/panic.h>
#include <mazu/preempt.h>
#include <mazu/time.h>

#include "runqueue.h"

/* Dead tasks that one call gives back, so that nobody pays for a crowd. */
#define REAP_MAX 4

struct spinlock tasks_lock = SPINLOCK_INIT(LOCK_TASKS);
struct rb_tree tasks;	     /* tasks_lock */
static struct list reapable; /* tasks_lock */
static u32 last_id;	     /* tasks_lock */

/* Of the boot hart. */
static struct task idle_task, boot_task;
static struct callout_queue callout_queues[CONFIG_CPU_MAX];

extern char boot_stack[], idle_stack[];

/* ---- Looking ---- */

struct task *task_current(void)
{
	return this_cpu()->current;
}

struct str task_name(const struct task *task)
{
	return (struct str){ (const char *)task->name, task->name_len };
}

u32 task_id(const struct task *task)
{
	return task->id;
}

/* Down the tree: the last place where it went left is the answer. At most 64 steps. */
struct task *task_after_locked(u32 after)
{
	struct rb_node *node = tasks.root, *found = NULL;

	spin_assert_held(&tasks_lock);
	while (node) {
		if (node->key > after) {
			found = node;
			node = node->left;
		} else {
			node = node->right;
		}
	}
	return found ? container_of(found, struct task, by_id) : NULL;
}

/* Charged, and since. */
static u64 run_ticks(const struct task *task)
{
	bool running = task == task->rq->current;

	return task->run_ticks + (running ? time_ticks() - task->rq->charged : 0);
}

static void info_fill(struct task *task, struct task_info *info)
{
	*info = (struct task_info){
		.id = task->id,
		.name_len = task->name_len,
		.state = task->state,
		.running = task == task->rq->current,
		.held = task->held,
		.hart = task->rq->hart,
		.params = task->params,
		.run_ns = time_ns_for(run_ticks(task)),
		.jobs = task->jobs.done,
		.misses = task->jobs.misses,
		.overruns = task->jobs.overruns,
		.throttles = task->jobs.throttles,
	};
	memcpy(info->name, task->name, sizeof(info->name));
}

enum error task_info_next(u32 after, struct task_info *info)
{
	bool irqs = spin_lock_irqsave(&tasks_lock);
	struct task *task = task_after_locked(after);

	if (task) {
		spin_lock_irqs_off(&task->rq->lock);
		info_fill(task, info);
		spin_unlock_irqs_off(&task->rq->lock);
	}
	spin_unlock_irqrestore(&tasks_lock, irqs);
	return task ? OK : ERR_NOENT;
}

/* ---- The end ---- */

/* Nobody knows the task any more but the caller. */
static void task_free(struct task *task)
{
	bool irqs = spin_lock_irqsave(&tasks_lock);

	rb_remove(&tasks, &task->by_id);
	spin_unlock_irqrestore(&tasks_lock, irqs);
	kstack_free(task->stack_block);
	kfree(task, sizeof(*task));
}

/* True: there may be more. */
static bool task_reap(void)
{
	for (u32 i = 0; i < REAP_MAX; i++) {
		bool irqs = spin_lock_irqsave(&tasks_lock);
		struct list *first = list_is_empty(&reapable) ? NULL : reapable.next;

		if (first)
			list_remove(first);
		spin_unlock_irqrestore(&tasks_lock, irqs);
		if (!first)
			return false;
		task_free(container_of(first, struct task, reap));
	}
	return true;
}

/* Whoever waits for the end goes on; what nobody waits for is to be reaped. tasks_lock. */
static void end_announce_locked(struct task *task)
{
	struct task *joiner = task->joiner;

	if (task->detached)
		list_push_back(&reapable, &task->reap);
	else if (joiner && joiner->state == TASK_BLOCKED)
		sched_wake_locked(joiner->rq, joiner, time_ticks());
}

/*
 * The locks are released by whoever runs next; the list's is released before the switch, and
 * nobody can take the task off it in between, because interrupts are off on its only hart.
 */
void task_exit(u64 result)
{
	struct task *task = task_current();
	struct runqueue *rq = task->rq;

	spin_lock(&admission_lock);
	admission_end_locked(task);
	spin_lock_irqsave(&tasks_lock);
	spin_lock_irqs_off(&rq->lock);
	sched_leave_locked(rq, task, time_ticks());
	task->result = result;
	end_announce_locked(task);
	spin_unlock_irqs_off(&rq->lock);
	spin_unlock_irqs_off(&tasks_lock);
	spin_unlock(&admission_lock);
	spin_lock_irqs_off(&rq->lock);
	trace(time_ticks(), TRACE_BLOCK, task->id, 4);
	schedule_locked(rq);
	panic("task %u ran on after its end", task->id);
}

/* ERR_AGAIN: it is not dead yet, and the caller is its joiner now. */
static enum error join_locked(struct task *task, struct task *joiner)
{
	if (task == joiner || task->detached)
		return ERR_INVAL;
	if (task->joiner && task->joiner != joiner)
		return ERR_BUSY;
	task->joiner = joiner;
	return task->state == TASK_DEAD ? OK : ERR_AGAIN;
}

/*
 * Waits for the end; a kill does not end the wait, for the task would be nobody's then. The lock is not released
 * between two waits: a joiner that may be killed anywhere would end there, and be woken when it is gone.
 */
static enum error join_wait(struct task *task)
{
	struct runqueue *rq = task->rq;
	bool irqs = spin_lock_irqsave(&rq->lock);
	enum error err;

	while ((err = join_locked(task, task_current())) == ERR_AGAIN)
		sched_block_locked(rq, 1);
	spin_unlock_irqrestore(&this_cpu()->rq->lock, irqs);
	return err;
}

struct result_u64 task_join(struct task *task)
{
	enum error err = join_wait(task);
	u64 result;

	if (err)
		return result_u64_err(err);
	result = task->result;
	task_free(task);
	return result_u64_ok(result);
}

static enum error detach_locked(struct task *task)
{
	if (task->detached)
		return ERR_INVAL;
	if (task->joiner)
		return ERR_BUSY;
	task->detached = true;
	if (task->state == TASK_DEAD)
		list_push_back(&reapable, &task->reap);
	return OK;
}

enum error task_detach(struct task *task)
{
	bool irqs = spin_lock_irqsave(&tasks_lock);
	enum error err;

	spin_lock_irqs_off(&task->rq->lock);
	err = detach_locked(task);
	spin_unlock_irqs_off(&task->rq->lock);
	spin_unlock_irqrestore(&tasks_lock, irqs);
	return err;
}

/* ---- Being killed ---- */

/*
 * One that is held ends when it is released, within its period: nobody gets more than their budget by dying. One
 * that waits for another's end goes on waiting: that end will come.
 */
static void kill_locked(struct task *task)
{
	struct runqueue *rq = task->rq;

	spin_lock_irqs_off(&rq->lock);
	task->killed = true;
	if (task->state == TASK_BLOCKED)
		sched_wake_locked(rq, task, time_ticks());
	spin_unlock_irqs_off(&rq->lock);
}

void task_kill(struct task *task)
{
	bool irqs = spin_lock_irqsave(&tasks_lock);

	if (task->state != TASK_DEAD)
		kill_locked(task);
	spin_unlock_irqrestore(&tasks_lock, irqs);
}

static enum error kill_id_locked(u32 id)
{
	struct task *task = id ? task_after_locked(id - 1) : &idle_task;

	if (!task || task->id != id || task->state == TASK_DEAD)
		return ERR_NOENT;
	if (task->essential)
		return ERR_ACCESS;
	kill_locked(task);
	return OK;
}

enum error task_kill_id(u32 id)
{
	bool irqs = spin_lock_irqsave(&tasks_lock);
	enum error err = kill_id_locked(id);

	spin_unlock_irqrestore(&tasks_lock, irqs);
	return err;
}

bool task_is_killed(void)
{
	return READ_ONCE(task_current()->killed);
}

/* ---- The beginning ---- */

/* The first of a task's own: it was switched to, with its queue locked and interrupts off. */
static void task_begin(void)
{
	struct task *task = this_cpu()->current;

	spin_unlock_irqrestore(&this_cpu()->rq->lock, true);
	task_exit(task->killed ? TASK_KILLED : task->entry(task->arg));
}

static void task_set_name(struct task *task, struct str name)
{
	task->name_len = (u32)MIN(name.len, (size_t)TASK_NAME_MAX - 1);
	memcpy(task->name, name.data, task->name_len);
}

/* Numbers come again after four thousand million tasks; those in use are left out, which are at most all tasks. */
static u32 id_next_locked(void)
{
	struct task *other;

	do {
		last_id++;
		other = task_after_locked(last_id - 1);
	} while (!last_id || (other && other->id == last_id));
	return last_id;
}

static void task_register(struct task *task)
{
	bool irqs = spin_lock_irqsave(&tasks_lock);

	task->id = id_next_locked();
	task->by_id.key = task->id;
	rb_insert(&tasks, &task->by_id);
	spin_unlock_irqrestore(&tasks_lock, irqs);
}

static void task_fill(struct task *task, const struct task_attributes *attributes, void *stack,
		      void (*begin)(void))
{
	task->rq = this_cpu()->rq;
	task->state = TASK_NEW;
	task->detached = attributes->detached;
	task->kill_anywhere = attributes->kill_anywhere;
	task->essential = attributes->essential;
	task->stack_block = stack;
	task->stack = (uptr)stack + STACK_GUARD;
	task_set_name(task, attributes->name);
	callout_init(&task->sleep, sleep_over);
	budget_init(&task->budget);
	arch_context_init(&task->context, (uptr)stack + STACK_SIZE, begin);
}

/* Memory and stack of a task that nobody knows yet. */
static struct result_task task_make(const struct task_attributes *attributes)
{
	struct result_ptr task = kmalloc_zero(sizeof(struct task));
	struct result_ptr stack;

	if (task.err)
		return result_task_err(task.err);
	stack = kstack_alloc();
	if (stack.err) {
		kfree(task.value, sizeof(struct task));
		return result_task_err(stack.err);
	}
	task_fill(task.value, attributes, stack.value, task_begin);
	return result_task_ok(task.value);
}

struct result_task task_create(const struct task_attributes *attributes, u64 (*entry)(void *arg),
			       void *arg)
{
	enum error err = entry ? sched_params_check(&attributes->params) : ERR_INVAL;
	struct result_task made;

	if (err)
		return result_task_err(err);
	task_reap();
	made = task_make(attributes);
	if (made.err)
		return made;
	made.value->entry = entry;
	made.value->arg = arg;
	task_register(made.value);
	err = sched_start(made.value, &attributes->params, attributes->domain);
	if (err) {
		task_free(made.value);
		return result_task_err(err);
	}
	return made;
}

void task_rename(struct str name)
{
	task_set_name(task_current(), name);
}

/* ---- The boot ---- */

/* Looks and waits with interrupts off, so that no wake-up slips in between. */
static void idle(void)
{
	struct pcpu *cpu = this_cpu();

	spin_unlock_irqrestore(&cpu->rq->lock, true);
	for (;;) {
		while (task_reap())
			;
		arch_irq_save();
		if (!preempt_is_due(cpu))
			arch_wait_for_interrupt();
		arch_irq_restore(true);
	}
}

static void fill_static(struct task *task, struct str name, char *stack)
{
	struct task_attributes attributes = { .name = name, .essential = true };

	task_fill(task, &attributes, stack, idle);
	task->stack_block = NULL;
}

/* What runs here becomes the first task of this hart. */
static void task_init(void)
{
	struct pcpu *cpu = this_cpu();

	list_init(&reapable);
	cpu->callouts = &callout_queues[cpu->index];
	callout_queue_init(cpu->callouts);
	sched_begin(&idle_task, &boot_task);
	fill_static(&idle_task, STR("idle"), idle_stack);
	fill_static(&boot_task, STR("init"), boot_stack);
	task_register(&boot_task);
	sched_adopt(&idle_task, &boot_task);
}
INIT_HOOK(CORE, task_init);
