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
#include <mazu/lockdep.h>
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

static struct task idle_tasks[CONFIG_CPU_MAX], boot_task;
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
		struct runqueue *rq = task_lock_irqs_off(task);

		info_fill(task, info);
		spin_unlock_irqs_off(&rq->lock);
	}
	spin_unlock_irqrestore(&tasks_lock, irqs);
	return task ? OK : ERR_NOENT;
}

/* ---- The end ---- */

/* A dead task's hart has switched away from it. */
static bool task_is_off(const struct task *task)
{
	bool irqs;
	struct runqueue *rq = task_lock_irqsave(task, &irqs);
	bool off = rq->current != task;

	spin_unlock_irqrestore(&rq->lock, irqs);
	return off;
}

/*
 * Nobody knows the task any more but the caller; unless its hart is still on the last steps of task_exit(), interrupts
 * off, or another on those of a callout of it.
 */
static void task_free(struct task *task)
{
	bool irqs;

	while (IS_ENABLED(CONFIG_SMP) && !task_is_off(task))
		spin_relax();
	callout_cancel_sync(&task->sleep);
	callout_cancel_sync(&task->budget.refill);
	irqs = spin_lock_irqsave(&tasks_lock);
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

/*
 * Who waits for an end goes on when it was told, and only then. It may find that out while the dead task still
 * runs, and waits for that, too, before it frees anything: so it is there as long as it is being told.
 */
static void end_tell(struct task *joiner)
{
	struct runqueue *rq = task_lock_irqs_off(joiner);

	joiner->told = true;
	if (joiner->state == TASK_BLOCKED)
		rq = sched_wake_placed_locked(rq, joiner);
	spin_unlock_irqs_off(&rq->lock);
}

/* What nobody waits for is to be reaped. tasks_lock. Returns who waits. */
static struct task *end_locked(struct runqueue *rq, struct task *task, u64 result)
{
	sched_leave_locked(rq, task, time_ticks());
	task->result = result;
	if (task->detached)
		list_push_back(&reapable, &task->reap);
	return task->joiner;
}

/*
 * From the moment when it is dead to the switch interrupts are off: whoever waits to free it waits for no more. The
 * last lock is released by whoever runs next.
 */
void task_exit(u64 result)
{
	struct task *task = task_current(), *joiner;
	struct runqueue *rq;

	if (IS_ENABLED(CONFIG_LOCK_DEBUG))
		lockdep_check_free("ends");
	spin_lock(&admission_lock);
	admission_end_locked(task);
	spin_lock_irqsave(&tasks_lock);
	rq = this_cpu()->rq;
	spin_lock_irqs_off(&rq->lock);
	joiner = end_locked(rq, task, result);
	spin_unlock_irqs_off(&rq->lock);
	if (joiner)
		end_tell(joiner);
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

/* Until it was told. A kill does not end the wait, for the task would be nobody's then. Interrupts off. */
static void wait_until_told(struct task *joiner)
{
	spin_lock_irqs_off(&this_cpu()->rq->lock);
	while (!joiner->told)
		task_wait_locked(this_cpu()->rq, joiner, 1);
	joiner->told = false;
	spin_unlock_irqs_off(&this_cpu()->rq->lock);
}

/*
 * Waits for the end. Interrupts are off from where the task knows its joiner to where that has been told: a joiner that
 * may be killed anywhere would end in between, and be told when it is gone.
 */
static enum error join_wait(struct task *task)
{
	bool irqs;
	struct runqueue *rq = task_lock_irqsave(task, &irqs);
	enum error err = join_locked(task, task_current());

	spin_unlock_irqs_off(&rq->lock);
	if (err == ERR_AGAIN) {
		wait_until_told(task_current());
		err = OK;
	}
	spin_irqrestore(irqs);
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
	struct runqueue *rq = task_lock_irqs_off(task);
	enum error err = detach_locked(task);

	spin_unlock_irqs_off(&rq->lock);
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
	struct runqueue *rq = task_lock_irqs_off(task);

	task->killed = true;
	if (task->state == TASK_BLOCKED)
		rq = sched_wake_placed_locked(rq, task);
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
	struct task *task = id ? task_after_locked(id - 1) : &idle_tasks[0];

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
		      void (*begin)(void), struct runqueue *rq)
{
	task->rq = rq;
	task->affinity = attributes->affinity;
	task->state = TASK_NEW;
	task->wakes_at = UINT64_MAX;
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
	task_fill(task.value, attributes, stack.value, task_begin, this_cpu()->rq);
	return result_task_ok(task.value);
}

struct result_task task_create(const struct task_attributes *attributes, u64 (*entry)(void *arg),
			       void *arg)
{
	enum error err = entry ? sched_params_check(&attributes->params) : ERR_INVAL;
	struct result_task made;

	if (attributes->affinity && !(attributes->affinity & harts_online()))
		err = ERR_INVAL;
	if (err)
		return result_task_err(err);
	task_reap();
	made = task_make(attributes);
	if (made.err)
		return made;
	made.value->entry = entry;
	made.value->arg = arg;
	if (!attributes->affinity)
		made.value->affinity = sched_affinity(task_current());
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

/* While it sleeps there is no turn of it to end (explore.h). */
static void sleep_till_interrupt(struct pcpu *cpu)
{
	if (explore_is_on())
		timer_sleep();
	arch_wait_for_interrupt();
	if (explore_is_on())
		timer_write(cpu->timer_ticks);
}

/* Looks and waits with interrupts off, so that no wake-up slips in between. It never leaves its hart. */
void task_idle(void)
{
	struct pcpu *cpu = this_cpu();

	for (;;) {
		arch_irq_restore(true);
		while (task_reap() || (IS_ENABLED(CONFIG_SMP) && sched_steal(cpu->rq)))
			;
		arch_irq_save();
		if (!preempt_is_due(cpu))
			sleep_till_interrupt(cpu);
	}
}

/* The boot hart's is switched to, like any task; those of the others run from the start. */
static void idle_begin(void)
{
	rq_unlock_own(true);
	task_idle();
}

static void fill_static(struct task *task, struct str name, void *stack, struct runqueue *rq)
{
	struct task_attributes attributes = { .name = name, .essential = true };

	task_fill(task, &attributes, stack, idle_begin, rq);
	task->stack_block = NULL;
}

void task_prepare_hart(u32 hart, void *stack)
{
	struct task *idle = &idle_tasks[hart];

	fill_static(idle, STR("idle"), stack, runqueue_prepare(hart));
	idle->class = &idle_class;
	idle->state = TASK_RUNNABLE;
	idle->affinity = hart_bit(hart);
	pcpus[hart].callouts = &callout_queues[hart];
	callout_queue_init(pcpus[hart].callouts);
}

void task_begin_hart(void)
{
	struct task *idle = &idle_tasks[this_cpu()->index];

	sched_begin(idle, idle);
}

/* What runs here becomes the first task of this hart. */
static void task_init(void)
{
	list_init(&reapable);
	task_prepare_hart(0, idle_stack);
	fill_static(&boot_task, STR("init"), boot_stack, idle_tasks[0].rq);
	boot_task.affinity = hart_bit(0); /* and that of what it creates, until it is the shell */
	sched_begin(&idle_tasks[0], &boot_task);
	task_register(&boot_task);
	sched_adopt(&boot_task);
}
INIT_HOOK(CORE, task_init);
